package web

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"tongbao"
	"tongbao/register"
)

// archiveBody lists every month and version with the files that the reader may
// have.
type archiveBody struct{ Versions []archiveVersion }

type archiveVersion struct {
	Month     string
	Number    int
	IsCurrent bool
	MadeAt    time.Time
	Rubric    string
	Audit     string
	Bulletins []file // pages and workbooks
	Data      []file // DuckDB
	Parquet   []file
}

// file is one published file.
type file struct {
	Name, Path, Word string
	Size             string
	IsOwn            bool // the edition of the reader's own role
	IsPage           bool
}

func (s *Server) archive(v *visit) error {
	months, err := s.library.all()
	if err != nil {
		return err
	}
	var body archiveBody
	for _, month := range months {
		for _, number := range month.Versions {
			of := &version{Month: month.Month, Number: number}
			if of.manifest, err = s.library.manifest(month.Month, number); err != nil {
				return err
			}
			one := archiveVersion{Month: month.Month.String(), Number: number, IsCurrent: number == month.Current, MadeAt: of.MadeAt,
				Rubric: of.Rubric, Audit: of.Audit.String()}
			for _, f := range v.files(of) {
				switch path.Ext(f.Name) {
				case ".duckdb", ".zip":
					one.Data = append(one.Data, f)
				case ".parquet":
					one.Parquet = append(one.Parquet, f)
				default:
					one.Bulletins = append(one.Bulletins, f)
				}
			}
			body.Versions = append(body.Versions, one)
		}
	}
	return v.show("archive", body)
}

// files are the files of a version that the reader may have.
func (v *visit) files(of *version) []file {
	var kept []file
	for _, one := range of.Outputs {
		about := register.FileOf(one.Name)
		if !register.MayHave(v.account, about) {
			continue
		}
		kept = append(kept, file{
			Name: one.Name, Path: "/archive/" + of.Month.String() + "/v" + strconv.Itoa(of.Number) + "/" + (&url.URL{Path: one.Name}).EscapedPath(),
			Size: size(one.Bytes), IsOwn: about.Audience == register.AudienceOf(v.account.Role), IsPage: strings.HasSuffix(one.Name, ".html"),
		})
	}
	return kept
}

func size(bytes int64) string {
	switch {
	case bytes >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20))
	case bytes >= 1<<10:
		return fmt.Sprintf("%.0f KB", float64(bytes)/(1<<10))
	}
	return fmt.Sprintf("%d B", bytes)
}

// downloadWithin is how long a download may take: a warehouse over a slow line.
const downloadWithin = 30 * time.Minute

// published answers with one file of a version. Only what its manifest names
// is served, so that no name leads anywhere else.
func (s *Server) publishedFile(v *visit) error {
	month, err := tongbao.ParseMonth(v.r.PathValue("month"))
	number := versionName.FindStringSubmatch(v.r.PathValue("version"))
	if err != nil || number == nil {
		return refuse(http.StatusNotFound, "not_found")
	}
	current, err := s.library.currentNumber(month)
	if err != nil {
		return err
	}
	asked, err := strconv.Atoi(number[1])
	if err != nil || asked > current {
		return refuse(http.StatusNotFound, "not_found")
	}
	dir := s.library.folder(month, asked)
	manifest, err := s.library.manifest(month, asked)
	if err != nil {
		return err
	}
	name := v.r.PathValue("file")
	at := slices.IndexFunc(manifest.Outputs, func(o output) bool { return o.Name == name })
	if at < 0 {
		return refuse(http.StatusNotFound, "not_found")
	}
	if !register.MayHave(v.account, register.FileOf(name)) {
		return errors.Join(refuse(http.StatusForbidden, "not_yours"), v.audit(register.ActPageRefused, v.r.URL.Path, nil))
	}
	object := month.String() + "/" + number[0] + "/" + name
	if err := v.audit(register.ActExport, object, map[string]any{"bytes": manifest.Outputs[at].Bytes}); err != nil {
		return err
	}
	if policy := manifest.Policies[name]; strings.HasSuffix(name, ".html") {
		return s.bulletin(v, filepath.Join(dir, name), policy, manifest.Outputs[at])
	}
	return download(v, filepath.Join(dir, filepath.FromSlash(name)), manifest.Outputs[at])
}

// bulletin answers with an edition's page under the policy that it carries: it
// has its style and script inside, and names their hashes.
func (s *Server) bulletin(v *visit, path, policy string, about output) error {
	if policy == "" {
		return fmt.Errorf("%s: the manifest has no policy for the page", path)
	}
	content, found := s.drawn.get(path)
	if !found {
		page, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var zipped bytes.Buffer
		zipper := gzip.NewWriter(&zipped)
		if _, err := zipper.Write(page); err != nil {
			return err
		}
		if err := zipper.Close(); err != nil {
			return err
		}
		content = zipped.Bytes()
		s.drawn.put(path, content)
	}
	header := v.w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "private, no-cache")
	header.Set("Vary", "Accept-Encoding, Cookie")
	tag := `W/"` + about.SHA256[:min(24, len(about.SHA256))] + `"`
	header.Set("ETag", tag)
	if v.r.Header.Get("If-None-Match") == tag {
		v.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if strings.Contains(v.r.Header.Get("Accept-Encoding"), "gzip") {
		header.Set("Content-Encoding", "gzip")
		_, _ = v.w.Write(content) // the reader may be gone
		return nil
	}
	zipper, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return err
	}
	_, _ = io.Copy(v.w, zipper)
	return nil
}

// download answers with a file to keep.
func download(v *visit, path string, about output) error {
	content, err := os.Open(path)
	if err != nil {
		return err
	}
	defer content.Close()
	info, err := content.Stat()
	if err != nil {
		return err
	}
	if err := http.NewResponseController(v.w).SetWriteDeadline(time.Now().Add(downloadWithin)); err != nil {
		return err
	}
	header := v.w.Header()
	header.Set("Content-Type", "application/octet-stream")
	header.Set("Cache-Control", "private, no-cache")
	header.Set("ETag", `"`+about.SHA256+`"`)
	header.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": filepath.Base(path)}))
	http.ServeContent(v.w, v.r, "", info.ModTime(), content)
	return nil
}
