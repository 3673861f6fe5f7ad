package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"slices"
	"text/template"
	"time"

	"tongbao/register"
)

//go:embed notices/*.tmpl
var noticeFiles embed.FS

// noticeFacts are all that a message may be made of: names from the
// configuration, counts, months, moments. The words of an error stay out,
// because a value or a file's name in them may be about a person.
type noticeFacts struct {
	Town, Job, Month, State, Step, Source, Due, Level string
	Run                                               int64
	Again                                             bool
	Version                                           int
	RowsIn, Quarantined                               int64
	Percent, Bound                                    int64
	Times                                             int // that passed, from From to Until
	From, Until, CatchUp                              string
	Line                                              int    // of tongbao.yaml, 0 if it is not known
	Key, Fault                                        string // as in ConfigError
}

// telling is one piece of news. The key says what counts as the same news: the
// same failure of a job once a day, a late source once a month and level, a
// version once.
type telling struct {
	event, key string
	facts      noticeFacts
}

// notices puts news into words, one notice for each channel that wants it.
func (c Config) notices(told []telling, run int64, now time.Time) ([]register.Notice, error) {
	if len(c.Notify.Channels) == 0 || len(told) == 0 {
		return nil, nil
	}
	words, err := template.ParseFS(noticeFiles, "notices/"+c.Notify.Language+".tmpl")
	if err != nil {
		return nil, fmt.Errorf("notices: %w", err)
	}
	var notices []register.Notice
	for _, news := range told {
		news.facts.Town = c.Town
		var title, text bytes.Buffer
		if err := words.ExecuteTemplate(&title, news.event+".title", news.facts); err != nil {
			return nil, fmt.Errorf("notices: %w", err)
		}
		if err := words.ExecuteTemplate(&text, news.event+".text", news.facts); err != nil {
			return nil, fmt.Errorf("notices: %w", err)
		}
		for _, channel := range c.Notify.Channels {
			if slices.Contains(channel.On, news.event) {
				notices = append(notices, register.Notice{Channel: channel.Name, Key: news.key, Event: news.event,
					Title: title.String(), Text: text.String(), Run: run, CreatedAt: now})
			}
		}
	}
	return notices, nil
}

// queueNotices puts what a run that is over has to tell on the register.
func (h *House) queueNotices(ctx context.Context, run register.Run, again bool) error {
	notices, err := h.Config.notices(h.tellings(run, again), run.ID, h.Now())
	return errors.Join(err, h.addNotices(ctx, notices))
}

func (h *House) addNotices(ctx context.Context, notices []register.Notice) error {
	for _, notice := range notices {
		if _, err := h.register.AddNotice(ctx, notice); err != nil {
			return err
		}
	}
	return nil
}

// tellings decides what a run tells.
func (h *House) tellings(run register.Run, again bool) []telling {
	if isAct(run) {
		return nil
	}
	job := run.Job
	if job == "" {
		job = string(run.Trigger)
	}
	facts := noticeFacts{Job: job, Month: run.Period.String(), State: string(run.State), Run: run.ID, Again: again, Version: run.Version}
	var told []telling
	if run.State == register.Failed || run.State == register.Interrupted {
		facts := facts
		for _, step := range run.Steps {
			facts.Step = step.Step
		}
		sum := sha256.Sum256([]byte(run.Error))
		told = append(told, telling{"failed", fmt.Sprintf("failed/%s/%s/%x/%s", job, facts.Month, sum[:6], run.Ended.Format(time.DateOnly)), facts})
	}
	for _, late := range run.Late {
		facts := facts
		facts.Source, facts.Level, facts.Due = late.Name, late.Level, late.DueAt.Format(noticeTime)
		told = append(told, telling{"late", fmt.Sprintf("late/%s/%s/%s", late.Source, facts.Month, late.Level), facts})
	}
	bound := int64(h.Config.Notify.Quarantine)
	if in, bad := run.Rows.In, run.Rows.Quarantined; in > 0 && bad*100 > bound*in {
		facts := facts
		facts.RowsIn, facts.Quarantined, facts.Percent, facts.Bound = in, bad, bad*100/in, bound
		told = append(told, telling{"quarantine", fmt.Sprintf("quarantine/%d", run.ID), facts})
	}
	if run.Version > 0 {
		told = append(told, telling{"published", fmt.Sprintf("published/%s/v%d", facts.Month, run.Version), facts})
	}
	return told
}

const noticeTime = "2006-01-02 15:04"

// passedTellings tells of times that nothing is done for, of each job and kind
// once a day: a job of every minute would say the same all day.
func passedTellings(lost []passed) (told []telling) {
	for _, p := range lost {
		facts := noticeFacts{Job: p.job.Name, State: string(register.Missed), Times: p.times, CatchUp: p.job.CatchUp,
			From: p.first.In(p.job.zone).Format(noticeTime), Until: p.last.In(p.job.zone).Format(noticeTime)}
		if p.isSkipped {
			facts.State = string(register.Skipped)
		}
		told = append(told, telling{"missed", fmt.Sprintf("%s/%s/%s", facts.State, p.job.Name, p.last.In(p.job.zone).Format(time.DateOnly)), facts})
	}
	return told
}

// refusedTelling tells that the configuration on disk, content, is not in
// force; the same content once a day.
func refusedTelling(refused error, content []byte, now time.Time) telling {
	facts := noticeFacts{Fault: "elsewhere"} // a source definition or a seed
	var where *ConfigError
	if errors.As(refused, &where) {
		facts.Line, facts.Key, facts.Fault = where.Line, where.Key, where.Fault
	}
	sum := sha256.Sum256(content)
	return telling{"refused", fmt.Sprintf("refused/%x/%s", sum[:6], now.Format(time.DateOnly)), facts}
}
