package pipeline

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"tongbao"
	"tongbao/data"
	"tongbao/register"
)

var testMonth = tongbao.NewMonth(2026, 10)

func testNow() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }

// smallTown makes a workspace with a demo town of one month that is
// published.
func smallTown(t testing.TB) string {
	t.Helper()
	master := filepath.Join(os.TempDir(), "tongbao-town-"+t.Name())
	t.Cleanup(func() { os.RemoveAll(master) })
	ctx := context.Background()
	if err := InitDemo(ctx, data.Demo{Dir: master, Months: 1, Until: testMonth, Seed: 1, Grids: 16, Tickets: 200}); err != nil {
		t.Fatal(err)
	}
	h := openTown(t, master)
	if _, err := h.Run(ctx, testMonth); err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	return master
}

func openTown(t testing.TB, dir string) *House {
	t.Helper()
	h, err := Open(context.Background(), dir, Options{Program: "test", Now: testNow})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func workspace(t testing.TB, dir string) Workspace {
	t.Helper()
	w, err := FindWorkspace(dir)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestRestoreGivesTheSameBulletin backs a published town up in every form while
// its house is open, restores it elsewhere, rebuilds, and compares the digest
// of every row of the bulletin with what was published.
func TestRestoreGivesTheSameBulletin(t *testing.T) {
	t.Setenv(PassphraseVariable, "correct horse battery")
	ctx := context.Background()
	town := smallTown(t)
	// A delivery that waits is part of a backup; one that was taken in is not
	// there twice.
	waiting := filepath.Join(town, "data", "inbox", "not-yet-known.csv")
	if err := os.WriteFile(waiting, []byte("电话\n13912345678\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	working := openTown(t, town)
	defer working.Close()
	for _, name := range []string{"folder", "file.tar.gz", "file.tar.zst"} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), name)
			made, err := working.Back(ctx, out, "test", testNow())
			if err != nil {
				t.Fatal(err)
			}
			if made.Files < 20 || made.Bytes == 0 {
				t.Errorf("got %d files of %d bytes", made.Files, made.Bytes)
			}
			back := filepath.Join(t.TempDir(), "back")
			list, err := Restore(ctx, out, back)
			if err != nil {
				t.Fatal(err)
			}
			for _, entry := range list.Files {
				if strings.HasPrefix(entry.Name, "data/inbox/") && entry.Name != "data/inbox/not-yet-known.csv" {
					t.Errorf("%s lies in raw/ and again in the backup", entry.Name)
				}
			}
			if strings.HasSuffix(name, ".zst") { // once is enough: the files are those of the list
				sameBulletin(t, back)
			}
		})
	}
}

// sameBulletin opens a restored workspace, rebuilds it and compares.
func sameBulletin(t *testing.T, dir string) {
	t.Helper()
	ctx := context.Background()
	for name, want := range map[string]fs.FileMode{"data/raw": 0o700, "data/register.db": 0o600, "data/inbox/not-yet-known.csv": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: got %v, %v; want mode %o", name, info, err, want)
		}
	}
	h := openTown(t, dir)
	defer h.Close()
	if _, err := h.Rebuild(ctx); err != nil {
		t.Fatal(err)
	}
	if err := h.Recompute(ctx, testMonth); err != nil {
		t.Fatal(err)
	}
	found, err := h.CompareWithPublished(ctx, testMonth)
	if err != nil || found.Version != 1 || len(found.Differ) > 0 {
		t.Errorf("got %+v, %v; want v1 as published", found, err)
	}
	// And the comparison can fail.
	if _, err := h.db.SQL().ExecContext(ctx, "delete from bulletin.community where month = ?", testMonth.First()); err != nil {
		t.Fatal(err)
	}
	if found, err := h.CompareWithPublished(ctx, testMonth); err != nil || !slices.Equal(found.Differ, []string{"bulletin.community"}) {
		t.Errorf("without its communities: got %+v, %v", found, err)
	}
}

// plainTown is a workspace with personal data in it and nothing computed.
func plainTown(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "town")
	if err := Init(dir, "青禾镇", "manual"); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"raw/tickets/abc_张三.csv": "张三,13912345678\n", "published/2026-10/v1/a.txt": "published\n", "published/2026-10/CURRENT": "v1\n"} {
		file := filepath.Join(dir, "data", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestBackupHidesPersons: nobody without the secret reads a person or the salt
// in a backup, and a wrong secret is refused.
func TestBackupHidesPersons(t *testing.T) {
	ctx := context.Background()
	dir := plainTown(t)
	reg, err := register.Open(ctx, filepath.Join(dir, "data", "register.db"))
	if err != nil {
		t.Fatal(err)
	}
	salt, err := reg.Salt(ctx)
	if err != nil {
		t.Fatal(err)
	}
	reg.Close()
	w := workspace(t, dir)
	out := filepath.Join(t.TempDir(), "folder")
	var problem *Problem
	t.Setenv(PassphraseVariable, "short")
	if _, err := w.Back(ctx, out, "test", testNow()); !errors.As(err, &problem) {
		t.Fatalf("a backup without a good passphrase: %v", err)
	}
	t.Setenv(PassphraseVariable, "correct horse battery")
	if _, err := w.Back(ctx, out, "test", testNow()); err != nil {
		t.Fatal(err)
	}
	seen := false
	err = filepath.WalkDir(out, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		seen = seen || bytes.Contains(content, []byte("published"))
		for _, secret := range []string{"13912345678", salt} {
			if bytes.Contains(content, []byte(secret)) {
				t.Errorf("%s shows %s", path, secret)
			}
		}
		return err
	})
	if err != nil || !seen {
		t.Errorf("the backup was not searched: %v", err)
	}
	t.Setenv(PassphraseVariable, "another horse battery")
	back := filepath.Join(t.TempDir(), "back")
	if _, err := Restore(ctx, out, back); !errors.As(err, &problem) || !strings.Contains(err.Error(), "not the one") {
		t.Errorf("restored with a wrong passphrase: %v", err)
	}
	if left, _ := os.ReadDir(back); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
	t.Setenv(PassphraseVariable, "correct horse battery")
	if _, err := Restore(ctx, out, dir); !errors.As(err, &problem) || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("restored over a workspace: %v", err)
	}
}

// TestBackupToRecipient: with a public key no secret is needed to back up, and
// its identity opens the backup.
func TestBackupToRecipient(t *testing.T) {
	ctx := context.Background()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "identity.txt")
	if err := os.WriteFile(secret, []byte(identity.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(PassphraseVariable, "")
	w := workspace(t, plainTown(t))
	w.Config.Backup.Recipient = identity.Recipient().String()
	// raw/ may lie on a larger disk.
	larger := filepath.Join(t.TempDir(), "raw")
	if err := errors.Join(os.Rename(w.rawDir(), larger), os.Symlink(larger, w.rawDir())); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "file.tar.zst")
	if _, err := w.Back(ctx, out, "test", testNow()); err != nil {
		t.Fatal(err)
	}
	back := filepath.Join(t.TempDir(), "back")
	if _, err := Restore(ctx, out, back); err == nil {
		t.Error("restored without a secret")
	}
	t.Setenv(IdentityVariable, secret)
	if _, err := Restore(ctx, out, back); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(back, "data/raw/tickets/abc_张三.csv"))
	if err != nil || string(text) != "张三,13912345678\n" {
		t.Errorf("got %q, %v", text, err)
	}
}

// TestDamagedBackup changes one byte at a time, or takes a file away; restore
// must refuse every one of them and leave nothing behind.
func TestDamagedBackup(t *testing.T) {
	ctx := context.Background()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "identity.txt")
	if err := os.WriteFile(secret, []byte(identity.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(IdentityVariable, secret)
	w := workspace(t, plainTown(t))
	w.Config.Backup.Recipient = identity.Recipient().String()
	refused := func(what, backup string) {
		t.Helper()
		back := filepath.Join(t.TempDir(), "back")
		if _, err := Restore(ctx, backup, back); err == nil {
			t.Errorf("%s: restored", what)
		}
		if left, _ := os.ReadDir(back); len(left) > 0 {
			t.Errorf("%s: %v is left", what, left)
		}
	}
	for _, name := range []string{"a.tar.gz", "a.tar.zst"} {
		file := filepath.Join(t.TempDir(), name)
		if _, err := w.Back(ctx, file, "test", testNow()); err != nil {
			t.Fatal(err)
		}
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for part := 1; part < 8; part++ {
			broken := slices.Clone(whole)
			broken[len(broken)*part/8] ^= 0x10
			os.WriteFile(file, broken, 0o600)
			refused(name+" with a byte changed", file)
			os.WriteFile(file, whole[:len(whole)*part/8], 0o600)
			refused(name+" cut short", file)
		}
	}
	folder := filepath.Join(t.TempDir(), "folder")
	if _, err := w.Back(ctx, folder, "test", testNow()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"backup.json", "key.age", "tongbao.yaml", "data/register.db.age", "data/seeds/rubric.yaml", "data/raw/tickets/abc_张三.csv.age"} {
		path := filepath.Join(folder, filepath.FromSlash(name))
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		os.Remove(path)
		refused("without "+name, folder)
		broken := slices.Clone(content)
		broken[len(broken)/2] ^= 1
		os.WriteFile(path, broken, 0o600)
		refused(name+" with a bit changed", folder)
		os.WriteFile(path, content, 0o600)
	}
	if _, err := Restore(ctx, folder, filepath.Join(t.TempDir(), "back")); err != nil {
		t.Errorf("the whole backup is refused: %v", err)
	}
}

// TestBackupWhileWritten: files that appear, move and grow while a backup is
// written do not break it.
func TestBackupWhileWritten(t *testing.T) {
	t.Setenv(PassphraseVariable, "correct horse battery")
	ctx := context.Background()
	dir := plainTown(t)
	w := workspace(t, dir)
	reg, err := register.Open(ctx, filepath.Join(dir, "data", "register.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer reg.Close()
	stop, stopped := make(chan struct{}), make(chan error)
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			run := register.Run{Trigger: register.ByHand, Period: testMonth, State: register.Done, QueuedAt: testNow(), Ended: testNow()}
			if err := reg.AddRun(ctx, &run); err != nil {
				stopped <- err
				return
			}
			log := filepath.Join(dir, "data", "logs", "tongbao.log")
			os.MkdirAll(filepath.Dir(log), 0o700)
			if file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err == nil {
				file.WriteString(strings.Repeat("x", 1000))
				file.Close()
			}
			inbox := filepath.Join(dir, "data", "inbox", "moving.csv")
			os.WriteFile(inbox, []byte{byte(i)}, 0o600)
			os.Remove(inbox)
		}
	}()
	for range 3 {
		out := filepath.Join(t.TempDir(), "file.tar.gz")
		if _, err := w.Back(ctx, out, "test", testNow()); err != nil {
			t.Fatal(err)
		}
		back := filepath.Join(t.TempDir(), "back")
		if _, err := Restore(ctx, out, back); err != nil {
			t.Fatal(err)
		}
		copied, err := register.Open(ctx, filepath.Join(back, "data", "register.db"))
		if err != nil {
			t.Fatal(err)
		}
		if err := copied.Check(ctx); err != nil {
			t.Error(err)
		}
		copied.Close()
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
