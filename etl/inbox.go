package etl

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// unfinished are the endings that copiers and browsers give to what they are
// still writing.
var unfinished = []string{".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".download"}

// isUnfinished says whether a name is that of a file being written, of an
// office's lock, or hidden.
func isUnfinished(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~") || slices.Contains(unfinished, strings.ToLower(filepath.Ext(name)))
}

// isLocked says whether an office has the file open: Excel writes ~$name
// beside it (without the first two letters of a long name), LibreOffice
// .~lock.name#.
func isLocked(names map[string]bool, name string) bool {
	letters := []rune(name)
	return names["~$"+name] || len(letters) > 2 && names["~$"+string(letters[2:])] || names[".~lock."+name+"#"]
}

// settled lists the files of the inbox that nobody is writing any more. The
// others are named in the report and wait for the next pull.
func (in Intake) settled(ctx context.Context, report *Report) ([]fs.FileInfo, error) {
	entries, err := os.ReadDir(in.Inbox)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, entry := range entries {
		names[entry.Name()] = true
	}
	var files []fs.FileInfo
	var youngest time.Time
	for _, entry := range entries {
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // taken away since the listing
		}
		if err != nil {
			return nil, err
		}
		switch {
		case !info.Mode().IsRegular() || isUnfinished(info.Name()):
		case isLocked(names, info.Name()):
			report.Unsettled = append(report.Unsettled, info.Name())
		default:
			files = append(files, info)
			if info.ModTime().After(youngest) {
				youngest = info.ModTime()
			}
		}
	}
	// One wait is enough for all: who is still writing will have gone on.
	wait := min(in.Settle, in.Settle-time.Since(youngest))
	if wait <= 0 || len(files) == 0 {
		return files, nil
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(wait):
	}
	return slices.DeleteFunc(files, func(before fs.FileInfo) bool {
		now, err := os.Stat(filepath.Join(in.Inbox, before.Name()))
		isSame := err == nil && now.Size() == before.Size() && now.ModTime().Equal(before.ModTime())
		if !isSame {
			report.Unsettled = append(report.Unsettled, before.Name())
		}
		return !isSame
	}), nil
}

// scan lists the deliveries of the inbox, in order.
func (in Intake) scan(ctx context.Context, report *Report) ([]delivery, error) {
	files, err := in.settled(ctx, report)
	if err != nil {
		return nil, err
	}
	var items []delivery
	for _, info := range files {
		path := filepath.Join(in.Inbox, info.Name())
		if isArchive(info.Name()) {
			found, err := in.scanArchive(path, info, report)
			if err := report.note(err, archiveSource, info.Name()); err != nil {
				return nil, err
			}
			items = append(items, found...)
			continue
		}
		matched := false
		for i := range in.Definitions {
			d := &in.Definitions[i]
			if d.Connect != nil || !d.pattern.MatchString(info.Name()) {
				continue
			}
			matched = true
			if !in.Choice.takes(d.Source) {
				continue
			}
			item, err := d.describe(path, info)
			if err == nil {
				items = append(items, item)
			} else if err := report.note(err, d.Source, info.Name()); err != nil {
				return nil, err
			}
		}
		if matched {
			continue
		}
		fixes, err := in.fixedItems(path, info)
		if len(fixes) == 0 && err == nil {
			report.Unmatched = append(report.Unmatched, info.Name())
		}
		if err := report.note(err, "", info.Name()); err != nil {
			return nil, err
		}
		for _, item := range fixes {
			if in.Choice.takes(item.Source) {
				items = append(items, item)
			}
		}
	}
	if err := in.identify(items); err != nil {
		return nil, err
	}
	sortDeliveries(items)
	return items, nil
}

// identify finds the content of files that may have been landed before, by their
// names, and of those of one name or one size: only their content tells them
// apart. The others are hashed while they are landed, in one reading. A file
// that nobody wrote since it landed is what it was.
func (in Intake) identify(items []delivery) error {
	type sized struct {
		source string
		bytes  int64
	}
	all, err := landed(in.Raw)
	if err != nil {
		return err
	}
	before := map[string][]delivery{}
	for _, item := range all {
		before[item.Name] = append(before[item.Name], item)
	}
	count, alike := map[string]int{}, map[sized]int{}
	for _, item := range items {
		count[item.Name]++
		alike[sized{item.Source, item.Bytes}]++
	}
	for i := range items {
		item := &items[i]
		if item.SHA256 != "" {
			continue
		}
		old := slices.DeleteFunc(slices.Clone(before[item.Name]), func(old delivery) bool { return old.Source != item.Source })
		if at := slices.IndexFunc(old, item.isUnwrittenSince); at >= 0 {
			item.SHA256 = old[at].SHA256
		} else if count[item.Name] > 1 || alike[sized{item.Source, item.Bytes}] > 1 || len(old) > 0 {
			if item.SHA256, err = hashFile(item.path); err != nil {
				return err
			}
		}
		item.comeAfter(old)
	}
	return nil
}

// isUnwrittenSince says whether a file of the inbox is as it was when it landed.
func (item *delivery) isUnwrittenSince(landed delivery) bool {
	return landed.Bytes == item.Bytes && !landed.Written.IsZero() && landed.Written.Equal(item.Written)
}

// comeAfter lets a file that was written anew under its old name come later than
// what it was, though its name says the same day: what was corrected counts.
func (item *delivery) comeAfter(old []delivery) {
	for _, before := range old {
		switch {
		case before.SHA256 == item.SHA256:
			item.DeliveredAt = before.DeliveredAt
			return
		case before.DeliveredAt.Equal(item.DeliveredAt): // they are in this order
			item.DeliveredAt = item.DeliveredAt.Add(time.Second)
		}
	}
}

// note keeps an error of one delivery for the report, and returns any other.
func (r *Report) note(err error, source, file string) error {
	var wrong *FileError
	if !errors.As(err, &wrong) {
		return err
	}
	if wrong.Source == "" {
		wrong.Source = source
	}
	if wrong.File == "" {
		wrong.File = file
	}
	r.Errors = append(r.Errors, wrong)
	return nil
}

// relanded lists the deliveries that were ever landed, those in archives too.
func (in Intake) relanded(report *Report) ([]delivery, error) {
	all, err := landed(in.Raw)
	if err != nil {
		return nil, err
	}
	var items []delivery
	for _, item := range all {
		if item.Source != archiveSource {
			items = append(items, item)
			continue
		}
		found, err := in.members(item, rawPath(in.Raw, item), report)
		if err := report.note(err, archiveSource, item.Name); err != nil {
			return nil, err
		}
		items = append(items, found...)
	}
	sortDeliveries(items)
	return items, nil
}
