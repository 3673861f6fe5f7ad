package pipeline

import (
	"bytes"
	"context"
	"errors"
	"os"
	"reflect"
	"time"
)

// reloadEvery is how often the service looks at tongbao.yaml.
const reloadEvery = 2 * time.Second

// reloadLoop puts a changed tongbao.yaml in force from the next run on. One
// that is wrong is refused with its line, and the old one stays. Seeds, source
// definitions and queries need none of this: every run reads them.
func (s *Service) reloadLoop(ctx context.Context) error {
	seen, _ := os.ReadFile(s.house.configFile()) // unreadable: the first look says so
	for ctx.Err() == nil {
		select {
		case <-time.After(reloadEvery):
		case <-ctx.Done():
			return nil
		}
		content, err := os.ReadFile(s.house.configFile())
		if err == nil && bytes.Equal(content, seen) {
			continue
		}
		// An editor may be in the middle of writing: look again at what stays.
		time.Sleep(reloadEvery / 10)
		again, _ := os.ReadFile(s.house.configFile())
		if err == nil && !bytes.Equal(content, again) {
			continue
		}
		if err != nil && seen == nil {
			continue // said before
		}
		seen = content
		s.reload(ctx, content)
	}
	return nil
}

func (s *Service) reload(ctx context.Context, content []byte) {
	old := s.config()
	w, err := FindWorkspace(s.house.Dir)
	if err == nil {
		err = s.SetConfig(w.Config)
	}
	s.watch.configIs(err)
	if err != nil {
		s.log.Error("the changed configuration is refused; the old one stays in force", "error", err)
		now := s.house.Now()
		notices, err := old.notices([]telling{refusedTelling(err, content, now)}, 0, now)
		if err = errors.Join(err, s.house.addNotices(ctx, notices)); err != nil {
			s.log.Error("the refusal cannot be told", "error", Advise(err))
		}
		s.hasNews()
		return
	}
	s.log.Info("the changed configuration is in force from the next run on", "jobs", len(s.Jobs()))
	if fresh := w.Config; fresh.Memory != old.Memory || fresh.Threads != old.Threads || fresh.Listen != old.Listen || fresh.Log != old.Log || !reflect.DeepEqual(fresh.Portal, old.Portal) || !reflect.DeepEqual(fresh.Pgwire, old.Pgwire) {
		s.log.Warn("memory, threads, listen, portal, pgwire and log are in force from the next start on")
	}
}
