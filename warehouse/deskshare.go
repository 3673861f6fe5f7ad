package warehouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// lookAgain is how often a desk looks whether another one gave a place back.
const lookAgain = 20 * time.Millisecond

// claim makes a question the only one of its account at all desks that share.
func (d *Desk) claim(account string) (free func(), err error) {
	if d.Hold == nil {
		return func() {}, nil
	}
	sum := sha256.Sum256([]byte(account)) // a name of a file, whatever the account is called
	if free, err = d.Hold("asker-" + hex.EncodeToString(sum[:8])); err != nil {
		return nil, fmt.Errorf("share the desk: %w", err)
	}
	if free == nil {
		return nil, &QuestionError{Kind: Busy, Code: "asker"}
	}
	return free, nil
}

// place waits for one of the places that the desks share. Who waits for one is
// the next of all: a desk with a long queue leaves the others their turn.
func (d *Desk) place(ctx context.Context) (free func(), err error) {
	if d.Hold == nil {
		return func() {}, nil
	}
	next, err := d.await(ctx, "next")
	if err != nil {
		return nil, err
	}
	defer next()
	var places []string
	for n := range d.Running {
		places = append(places, fmt.Sprint("place-", n+1))
	}
	return d.await(ctx, places...)
}

// await takes the first of the names that nobody has.
func (d *Desk) await(ctx context.Context, names ...string) (free func(), err error) {
	for {
		for _, name := range names {
			if free, err := d.Hold(name); err != nil {
				return nil, fmt.Errorf("share the desk: %w", err)
			} else if free != nil {
				return free, nil
			}
		}
		select {
		case <-time.After(lookAgain):
		case <-ctx.Done():
			return nil, &QuestionError{Kind: Cancelled}
		}
	}
}
