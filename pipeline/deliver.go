package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"tongbao/register"
)

// Bounds of telling people.
const (
	// tellWithin bounds one attempt at one channel.
	tellWithin = 20 * time.Second
	// A notice is tried again after a minute, then twice as long, at most an
	// hour, and given up after three days: older news only confuses.
	tellAgainFirst = time.Minute
	tellAgainMost  = time.Hour
	tellFor        = 72 * time.Hour
)

func tellAgain(attempts int) time.Duration {
	return min(tellAgainFirst<<min(attempts-1, 10), tellAgainMost)
}

// teller drains the queue of notices. One goroutine owns it.
type teller struct {
	register *register.Register
	channels []Channel
	dir      string // of the workspace
	now      func() time.Time
	log      *slog.Logger
}

// drain tries every notice whose time has come. A channel that does not answer
// is left alone for the rest of the round.
func (t teller) drain(ctx context.Context) error {
	waiting, err := t.register.WaitingNotices(ctx)
	if err != nil {
		return err
	}
	silent := map[string]bool{}
	for _, notice := range waiting {
		if ctx.Err() != nil {
			return nil
		}
		if silent[notice.Channel] || notice.NextAt.After(t.now()) {
			continue
		}
		state := t.try(ctx, &notice)
		silent[notice.Channel] = state == register.Waiting
		if ctx.Err() != nil {
			return nil // the attempt was cut short; it does not count
		}
		if err := t.register.SetNotice(ctx, notice, state, t.now()); err != nil {
			return err
		}
	}
	return nil
}

// try tells one notice and says what became of it.
func (t teller) try(ctx context.Context, notice *register.Notice) register.NoticeState {
	i := slices.IndexFunc(t.channels, func(c Channel) bool { return c.Name == notice.Channel })
	if i < 0 {
		notice.Error = "tongbao.yaml has no such channel any more"
		return register.GivenUp
	}
	bounded, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	notice.Attempts++
	err := t.channels[i].send(bounded, t.dir, *notice)
	if err == nil {
		notice.Error = ""
		t.log.Info("notice told", "channel", notice.Channel, "notice", notice.Key, "attempt", notice.Attempts)
		return register.Sent
	}
	notice.Error = err.Error()
	if t.now().Sub(notice.CreatedAt) > tellFor {
		t.log.Error("notice given up", "channel", notice.Channel, "notice", notice.Key, "attempt", notice.Attempts, "error", err)
		return register.GivenUp
	}
	notice.NextAt = t.now().Add(tellAgain(notice.Attempts))
	t.log.Warn("notice not told", "channel", notice.Channel, "notice", notice.Key, "attempt", notice.Attempts, "again_at", notice.NextAt, "error", err)
	return register.Waiting
}

// Tell tries once to tell what waits; a command that did a run itself ends
// with it. What cannot be told waits for the service or the next command.
func (h *House) Tell(ctx context.Context, log *slog.Logger) error {
	if len(h.Config.Notify.Channels) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	return teller{h.register, h.Config.Notify.Channels, h.Dir, h.Now, log}.drain(ctx)
}

// noticeLoop tells people while the service works. It never holds up a run:
// runs only queue.
func (s *Service) noticeLoop(ctx context.Context) error {
	for ctx.Err() == nil {
		t := teller{s.house.register, s.config().Notify.Channels, s.house.Dir, s.house.Now, s.log}
		if err := t.drain(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("tell people", "error", err)
		}
		select {
		case <-s.told:
		case <-time.After(lookAgain):
		case <-ctx.Done():
		}
	}
	return nil
}

// hasNews wakes the one who tells people.
func (s *Service) hasNews() {
	select {
	case s.told <- struct{}{}:
	default:
	}
}

// sendError hides what an address may hold: errors of net/http quote it whole.
func sendError(channel Channel, err error) error {
	text := err.Error()
	for _, secret := range (NotifyConfig{Channels: []Channel{channel}}).secrets() {
		text = replaceSecret(text, secret)
	}
	return fmt.Errorf("%s (%s): %s", channel.Name, channel.Kind, text)
}
