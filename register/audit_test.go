package register

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
)

func TestAuditChain(t *testing.T) {
	ctx := context.Background()
	r, path := openTest(t)
	if head, err := r.AuditHead(ctx); err != nil || head.Seq != 0 || head.String() != "" {
		t.Fatalf("an empty log: %+v, %v", head, err)
	}
	// Another process writes too.
	other, err := Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			to := r
			if i%2 == 0 {
				to = other
			}
			if err := to.Audit(ctx, testBy.entry(ActQuery, "select 1", map[string]any{"rows": i})); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	head, err := r.VerifyAudit(ctx)
	if err != nil || head.Seq != 40 {
		t.Fatalf("got %+v, %v", head, err)
	}
	var out bytes.Buffer
	if err := r.ExportAudit(ctx, AuditFilter{}, &out); err != nil {
		t.Fatal(err)
	}
	var last AuditEntry
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if err := json.Unmarshal([]byte(lines[39]), &last); err != nil || last.Hash != head.Hash || last.Account != "root" {
		t.Errorf("exported %+v, %v", last, err)
	}
	for _, statement := range []string{"update audit set account = 'x' where seq = 3", "delete from audit", "insert or replace into audit select * from audit where seq = 3"} {
		if _, err := r.db.Exec(statement); err == nil {
			t.Errorf("%s was taken", statement)
		}
	}
	if _, err := r.VerifyAudit(ctx, head, Head{3, "0"}); !errors.Is(err, ErrChain) {
		t.Errorf("a head that was printed differently: %v", err)
	}
	if _, err := r.VerifyAudit(ctx, Head{41, "x"}); !errors.Is(err, ErrChain) {
		t.Errorf("a log that was cut: %v", err)
	}
	// Somebody takes the triggers away and changes a row.
	for _, statement := range []string{"drop trigger audit_is_not_changed", "update audit set account = 'x' where seq = 3"} {
		if _, err := r.db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.VerifyAudit(ctx); !errors.Is(err, ErrChain) {
		t.Errorf("a changed log: %v", err)
	}
}

// TestActsAreAudited: every act on an account is in the log, and no secret is.
func TestActsAreAudited(t *testing.T) {
	ctx := context.Background()
	r, _ := openTest(t)
	addTest(t, r, Account{Name: "liming", Role: RoleStatistician})
	_, _ = r.SignIn(ctx, "liming", "wrong-wrong-wrong", "10.0.0.1", testBy.At)
	_, _ = r.SignIn(ctx, "my-password-as-name", "x", "10.0.0.1", testBy.At)
	_, _ = r.SignIn(ctx, "liming", goodPassword, "10.0.0.1", testBy.At)
	_ = r.EndSessions(ctx, testBy, "liming")
	link, _ := r.NewLink(ctx, testBy, "liming")
	_, _ = r.UseLink(ctx, link, goodPassword+"2", "10.0.0.1", testBy.At)
	var acts []string
	var out bytes.Buffer
	err := r.EachAudit(ctx, AuditFilter{}, func(e AuditEntry) error { acts = append(acts, e.Act); return json.NewEncoder(&out).Encode(e) })
	if err != nil {
		t.Fatal(err)
	}
	want := []string{ActAccountAdded, ActRefused, ActRefused, ActSignedIn, ActSignedOut, ActLinkMade, ActPassword}
	if strings.Join(acts, " ") != strings.Join(want, " ") {
		t.Errorf("got %q, want %q", acts, want)
	}
	for _, secret := range []string{goodPassword, "wrong-wrong", "my-password", link} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the log holds the secret %q", secret)
		}
	}
}
