package pipeline

import (
	"context"
	"sync"
)

// feed is what a run says, kept from its start for those who come to watch
// later. Progress is not kept but for the last word: it would only grow.
type feed struct {
	mu      sync.Mutex
	events  []Event
	changed chan struct{} // closed and replaced when an event comes
}

func newFeed() *feed { return &feed{changed: make(chan struct{})} }

func (f *feed) add(event Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if last := len(f.events) - 1; event.Progress != nil && last >= 0 && f.events[last].Progress != nil {
		f.events = append(f.events[:last:last], event)
	} else {
		f.events = append(f.events, event)
	}
	close(f.changed)
	f.changed = make(chan struct{})
}

// follow calls show with every event until the run is over or the context
// ends.
func (f *feed) follow(ctx context.Context, show func(Event) error) error {
	seen := 0
	var shown *Progress
	for {
		f.mu.Lock()
		fresh, changed := f.events[min(seen, len(f.events)):], f.changed
		if last := len(f.events) - 1; len(fresh) == 0 && last >= 0 && f.events[last].Progress != nil && f.events[last].Progress != shown {
			fresh = f.events[last:]
		}
		seen = len(f.events)
		f.mu.Unlock()
		for _, event := range fresh {
			if event.Progress != nil {
				shown = event.Progress
			}
			if err := show(event); err != nil || event.Outcome != nil {
				return err
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
