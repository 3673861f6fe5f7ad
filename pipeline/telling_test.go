package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tongbao/register"
)

// TestPassedTimesAreTold: times of a job that nothing is done for are told,
// once a day, in every language.
func TestPassedTimesAreTold(t *testing.T) {
	for _, one := range []struct {
		name, keys string
		busy       bool // its first run is at work all the time
		back       string
		want       []string // in the text of each notice
	}{
		{"nothing passed", "schedule: \"0 2 * * *\"", false, "2026-11-04 02:00", nil},
		{"one late time is made up for", "schedule: \"0 2 * * *\"", false, "2026-11-04 09:00", nil},
		{"last drops the earlier ones", "schedule: \"0 2 * * *\"\ncatchup: last", false, "2026-11-07 09:00", []string{"3 times of job job0, from 2026-11-04 02:00 to 2026-11-06 02:00 | Only the newest | catchup: last"}},
		{"none drops all", "schedule: \"0 2 * * *\"\ncatchup: none", false, "2026-11-07 09:00", []string{"4 times of job job0, from 2026-11-04 02:00 to 2026-11-07 02:00 | not made up for | catchup: none"}},
		{"all drops none", "schedule: \"0 2 * * *\"\ncatchup: all", false, "2026-11-07 09:00", nil},
		{"all is bounded", "schedule: \"* * * * *\"\ncatchup: all", false, "2026-11-04 09:00", []string{"860 times of job job0, from 2026-11-03 02:01 to 2026-11-03 16:20 | not made up for"}},
		{"skipped", "schedule: \"0 * * * *\"", true, "2026-11-03 03:00", []string{"due at 2026-11-03 03:00 | overlap: skip"}},
		{"queued", "schedule: \"0 * * * *\"\noverlap: queue", true, "2026-11-03 03:00", nil},
	} {
		t.Run(one.name, func(t *testing.T) {
			w := newWorld(t, at("2026-11-03 01:59"), mustParseJob(t, one.keys, at("2026-11-03 01:59")))
			config := Config{Town: "青禾镇", Notify: NotifyConfig{Language: "en", Channels: []Channel{{Name: "a", Kind: "file", On: []string{"missed"}}}}}
			tick := func(now time.Time) {
				t.Helper()
				w.now = now
				d := w.d()
				d.words = func(lost []passed) ([]register.Notice, error) { return config.notices(passedTellings(lost), 0, now) }
				if _, err := d.tick(context.Background(), now); err != nil {
					t.Fatal(err)
				}
			}
			tick(w.now)
			tick(at("2026-11-03 02:00"))
			if one.busy {
				w.take()
			} else {
				w.work()
			}
			for range 2 { // what was told is not news
				tick(at(one.back))
			}
			holdNotices(t, w.reg, one.want)
		})
	}
}

// holdNotices holds the texts of the waiting notices against parts of them.
func holdNotices(t *testing.T, reg *register.Register, want []string) {
	t.Helper()
	waiting, err := reg.WaitingNotices(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(waiting) != len(want) {
		t.Fatalf("got %+v, want %q", waiting, want)
	}
	for i, notice := range waiting {
		for part := range strings.SplitSeq(want[i], " | ") {
			if !strings.Contains(notice.Title+notice.Text, part) {
				t.Errorf("got %q, want %q in it", notice.Title+notice.Text, part)
			}
		}
	}
}

// TestSkippedToldOnceADay: a job of every minute whose run hangs says so once.
func TestSkippedToldOnceADay(t *testing.T) {
	w := newWorld(t, at("2026-11-03 23:56"), mustParseJob(t, "schedule: \"* * * * *\"", at("2026-11-03 23:56")))
	config := Config{Notify: NotifyConfig{Language: "en", Channels: []Channel{{Name: "a", Kind: "file", On: noticeEvents}}}}
	d := w.d()
	d.words = func(lost []passed) ([]register.Notice, error) { return config.notices(passedTellings(lost), 0, w.now) }
	for range 8 {
		if _, err := d.tick(context.Background(), w.now); err != nil {
			t.Fatal(err)
		}
		w.take()
		w.now = w.now.Add(time.Minute)
	}
	holdNotices(t, w.reg, []string{"2026-11-03 23:58", "2026-11-04 00:00"})
	if got := len(w.runs(register.Skipped)); got != 6 {
		t.Errorf("got %d skipped runs, want 6", got)
	}
}

// TestRefusedConfigIsTold: the notice names line and key, and no word of the
// file: any of them may be about a person.
func TestRefusedConfigIsTold(t *testing.T) {
	const head = "town: 青禾镇\n" // line 1
	for _, one := range []struct{ text, want string }{
		{head + "张三13912345678: x\n", "line 2: there is no such key"},
		{head + "publish: 张三13912345678\n", "line 2 (publish): the value"},
		{head + "threads: 张三13912345678\n", "line 2: it is not YAML, or"},
		{head + "notify:\n  channels:\n    - {name: 张三13912345678, kind: file, folder: x}\n", "line 4 (notify.channels[0].name): the value"},
		{head + "notify:\n  channels:\n    - name: a\n      kind: webhook\n      url_env: 张三13912345678\n", "line 6 (notify.channels[0].url_env)"},
		{head + "log:\n  level: 张三13912345678\n", "line 3 (log.level)"},
		{head + "backup: {keep: -1}\n", "line 2 (backup.keep)"},
		{head + "listen: 张三13912345678\n", "line 2 (listen)"},
		{head + "jobs:\n  - {name: a, schedule: '@daily', steps: [prune]}\n  - name: 张三13912345678\n    schedule: '@daily'\n    steps: [prune]\n", "line 4 (jobs[1].name)"},
		{head + "jobs:\n  - name: a\n    schedule: 张三13912345678 * * * *\n    steps: [prune]\n", "line 4 (jobs[0].schedule)"},
		{head + "jobs:\n  - name: a\n    schedule: '@daily'\n    steps:\n      - pull: [张三13912345678]\n", "(jobs[0].steps)"},
		{head + "jobs:\n  - name: a\n    on: 张三13912345678\n    steps: [prune]\n", "line 4 (jobs[0].on)"},
		{head + "jobs:\n  - name: a\n    schedule: '@daily'\n", "line 3 (jobs[0].steps)"},
		{head + "jobs:\n  - {name: a, schedule: '@daily', steps: [prune]}\n  - {name: a, schedule: '@daily', steps: [prune]}\n", "line 4 (jobs[1].name)"},
		{"publish: auto\n", "tongbao.yaml is wrong (town)"},
		{head + "\t: [张三13912345678\n", "line 2: it is not YAML"},
		{head + "publish: \xc7\xe0\xba\xcc\n", "line 2: it is not YAML"}, // saved as GBK
		{head + "portal: {listen: 张三13912345678}\n", "line 2 (portal.listen)"},
		{head + "pgwire: {listen: 张三13912345678, plain_loopback: true}\n", "line 2 (pgwire.listen)"},
		{"", "tongbao.yaml is wrong: it is not YAML"},
	} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "data", "seeds"), 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{ConfigName: one.text, "data/seeds/calendar.csv": "day,is_working,name\n"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		w, err := FindWorkspace(dir)
		if err == nil {
			_, err = w.prepareJobs(testNow(), []string{"tickets"})
		}
		if err == nil {
			t.Fatalf("%q is accepted", one.text)
		}
		for language, want := range map[string]string{"en": one.want, "zh-Hans": "tongbao validate", "zh-Hant": "tongbao validate"} {
			config := Config{Town: "青禾镇", Notify: NotifyConfig{Language: language, Channels: []Channel{{Name: "a", On: noticeEvents}}}}
			notices, wrong := config.notices([]telling{refusedTelling(err, []byte(one.text), testNow())}, 0, testNow())
			if wrong != nil {
				t.Fatal(wrong)
			}
			said := fmt.Sprint(notices[0].Title, notices[0].Text, notices[0].Key)
			if !strings.Contains(said, want) || strings.Contains(said, "张三") || strings.Contains(said, "13912345678") || strings.Contains(said, "no value") {
				t.Errorf("%q (%v): %s says %q, want %q", one.text, err, language, said, want)
			}
		}
	}
}
