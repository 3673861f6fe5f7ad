package etl

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"
)

// archiveSource stands in the sidecar of a landed archive in place of a
// source: its members may belong to several.
const archiveSource = "_archives"

// isArchive says whether a name is that of an archive of deliveries.
func isArchive(name string) bool { return strings.EqualFold(path.Ext(name), ".zip") }

// scanArchive lists the deliveries in an archive of the inbox, which is landed
// untouched if it holds any.
func (in Intake) scanArchive(file string, info fs.FileInfo, report *Report) ([]delivery, error) {
	item := delivery{Source: archiveSource, Name: info.Name(), Bytes: info.Size(), DeliveredAt: civil(info.ModTime().Truncate(time.Second)), path: file}
	var err error
	if item.SHA256, err = hashFile(file); err != nil {
		return nil, err
	}
	items, err := in.members(item, file, report)
	if err != nil || len(items) == 0 {
		return nil, err
	}
	landed, err := land(in.Raw, item)
	for i := range items {
		items[i].archive = landed
	}
	return items, err
}

// members lists the deliveries in an archive. One that cannot be taken is
// named in the report and holds up no other; an archive with a name that
// leads out of it is refused as a whole.
func (in Intake) members(item delivery, file string, report *Report) ([]delivery, error) {
	archive, err := zip.OpenReader(file)
	if err != nil {
		return nil, &FileError{What: "is a damaged archive: " + err.Error(), Do: "copy it again"}
	}
	defer archive.Close()
	if len(archive.File) > MaxMembers {
		return nil, &FileError{What: fmt.Sprintf("holds %d files, at most %d are read", len(archive.File), MaxMembers), Do: "split it"}
	}
	if err := refuseBomb(archive.File); err != nil {
		return nil, err
	}
	var items []delivery
	seen := map[string]bool{}
	for at, member := range archive.File {
		name, err := memberName(member)
		if err != nil {
			return nil, err
		}
		if seen[name] {
			return nil, &FileError{Where: name, What: "stands in the archive twice", Do: "pack it again"}
		}
		seen[name] = true
		base := path.Base(name)
		if member.FileInfo().IsDir() || strings.HasPrefix(name, "__MACOSX/") || isUnfinished(base) {
			continue
		}
		found, err := in.matchMember(item, member, name)
		var wrong *FileError
		switch {
		case errors.As(err, &wrong):
			wrong.File = item.Name + "/" + name
			report.Errors = append(report.Errors, wrong)
		case err != nil:
			return nil, err
		case len(found) == 0:
			report.Unmatched = append(report.Unmatched, item.Name+"/"+name)
		}
		for _, d := range found {
			d.archive, d.member = file, at
			items = append(items, d)
		}
	}
	return items, nil
}

// matchMember describes a member for each definition whose files matches its
// own name, or the archive's name, a slash and its path.
func (in Intake) matchMember(item delivery, member *zip.File, name string) ([]delivery, error) {
	var found []delivery
	full := item.Name + "/" + name
	for i := range in.Definitions {
		d := &in.Definitions[i]
		if d.Connect != nil || !in.Choice.takes(d.Source) {
			continue
		}
		matched := path.Base(name)
		if !d.pattern.MatchString(matched) {
			if matched = full; !d.pattern.MatchString(matched) {
				continue
			}
		}
		one := delivery{Source: d.Source, Name: full, Bytes: int64(member.UncompressedSize64), Captures: map[string]string{}, Definition: d.hash}
		if err := d.readName(&one, matched, item.DeliveredAt); err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	if len(found) == 0 {
		if isPacked(name) {
			return nil, &FileError{What: "is an archive within an archive", Do: "unpack it and deliver what it holds"}
		}
		return nil, nil
	}
	sum := sha256.New()
	if err := copyMember(sum, member); err != nil {
		return nil, err
	}
	for i := range found {
		found[i].SHA256 = hex.EncodeToString(sum.Sum(nil))
	}
	return found, nil
}

func isPacked(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".zip", ".rar", ".7z", ".gz", ".tgz", ".tar", ".bz2", ".xz":
		return true
	}
	return false
}

// memberName returns the path of a member in the archive, in UTF-8: Chinese
// Windows writes such names in its own encoding and does not say so.
func memberName(member *zip.File) (string, error) {
	name := member.Name
	if member.NonUTF8 || !utf8.ValidString(name) {
		var decoded []byte
		set := gb18030(true)
		for at := 0; at < len(name); {
			var size int
			if decoded, size = set.one(decoded, []byte(name[at:])); size == 0 {
				decoded = []byte(strings.ToValidUTF8(name, "_"))
				break
			}
			at += size
		}
		name = string(decoded)
	}
	slashed := strings.ReplaceAll(name, `\`, "/")
	clean := strings.TrimSuffix(slashed, "/")
	refuse := func(what string) (string, error) {
		return "", &FileError{Where: fmt.Sprintf("%.200q", name), What: what, Do: "do not open it; ask who sent it"}
	}
	switch {
	case !filepath.IsLocal(filepath.FromSlash(clean)), strings.HasPrefix(slashed, "/"), strings.ContainsAny(clean, ":\x00"), path.Clean(clean) != clean:
		return refuse("is a name that leads out of the archive")
	case member.Mode()&fs.ModeType&^fs.ModeDir != 0:
		return refuse("is a link or a device, not a file")
	}
	return slashed, nil
}

// copyMember unpacks a member; it fails if that is longer than it says.
func copyMember(to io.Writer, member *zip.File) error {
	if member.Flags&1 != 0 {
		return &FileError{What: "is encrypted", Do: "pack it without a password"}
	}
	reader, err := member.Open()
	if err != nil {
		return &FileError{What: "cannot be unpacked: " + err.Error(), Do: "pack it again"}
	}
	defer reader.Close()
	n, err := io.Copy(to, io.LimitReader(reader, MaxUnzipped+1))
	if err == nil && n > MaxUnzipped {
		err = fmt.Errorf("it is longer than %d MiB", MaxUnzipped>>20)
	}
	var disk *fs.PathError
	if err != nil && !errors.As(err, &disk) {
		return &FileError{What: "cannot be unpacked: " + err.Error(), Do: "pack or copy it again"}
	}
	return err
}

// unpack writes a member of a landed archive into scratch, under a name of
// our own.
func unpack(item delivery, scratch string) (string, error) {
	archive, err := zip.OpenReader(item.archive)
	if err != nil {
		return "", err
	}
	defer archive.Close()
	target := filepath.Join(scratch, "member")
	file, err := os.OpenFile(target, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return "", err
	}
	return target, errors.Join(copyMember(file, archive.File[item.member]), file.Close())
}
