package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"tongbao/register"
	"tongbao/templates"
)

// parsePages reads every page in every language: portal/<page>.html inside
// portal/layout.html, with the parts of portal/part_*.html.
func (s *Server) parsePages() (map[string]map[string]*template.Template, error) {
	files, err := fs.Glob(templates.FS, "portal/*.html")
	if err != nil {
		return nil, err
	}
	shared := []string{"portal/layout.html"}
	for _, file := range files {
		if strings.HasPrefix(path.Base(file), "part_") {
			shared = append(shared, file)
		}
	}
	pages := map[string]map[string]*template.Template{}
	for name, words := range s.words {
		pages[name] = map[string]*template.Template{}
		for _, file := range files {
			if slices.Contains(shared, file) {
				continue
			}
			parsed, err := template.New("layout.html").Funcs(functions(words)).Funcs(template.FuncMap{"asset": s.assetPath}).ParseFS(templates.FS, append(slices.Clone(shared), file)...)
			if err != nil {
				return nil, fmt.Errorf("portal: %w", err)
			}
			pages[name][strings.TrimSuffix(path.Base(file), ".html")] = parsed
		}
	}
	return pages, nil
}

// functions are what templates may call.
func functions(w *words) template.FuncMap {
	return template.FuncMap{
		"t": w.say, "column": w.column, "code": w.codes, "data": w.data, "day": w.day, "month": w.month,
		"bulletin": func(key string) string { return orSame(w.Text, key) },
		"edition":  func(key string) string { return orSame(w.Editions, key) },
		"took": func(started, ended time.Time) string {
			if started.IsZero() || ended.IsZero() {
				return ""
			}
			return ended.Sub(started).Round(100 * time.Millisecond).String()
		},
		"count": func(number int64) string { return separate(strconv.FormatInt(number, 10)) },
		"first": func(text string) string { line, _, _ := strings.Cut(text, "\n"); return line },
		"may":   func(a register.Account, door string) bool { return register.May(a.Role, register.Door(door)) },
		"moment": func(at time.Time) string {
			if at.IsZero() {
				return ""
			}
			return at.Local().Format("2006-01-02 15:04:05")
		},
	}
}

// asset is a file that pages load, under a name with its hash: what it holds
// never changes, so browsers keep it.
type asset struct {
	path, kind string
	content    []byte
}

func readAssets() (map[string]asset, error) {
	assets := map[string]asset{}
	for file, kind := range map[string]string{
		"portal.css": "text/css; charset=utf-8", "portal.js": "text/javascript; charset=utf-8",
		"sql.css": "text/css; charset=utf-8", "sql.js": "text/javascript; charset=utf-8", "vendor/echarts.min.js": "text/javascript; charset=utf-8",
	} {
		name := path.Base(file)
		content, err := fs.ReadFile(templates.FS, file)
		if err != nil {
			return nil, fmt.Errorf("portal: %w", err)
		}
		if name == "portal.css" {
			// The bulletin's own style comes first: a table of the portal looks as it does on paper.
			bulletin, err := fs.ReadFile(templates.FS, "bulletin.css")
			if err != nil {
				return nil, fmt.Errorf("portal: %w", err)
			}
			content = slices.Concat([]byte(templates.LookCSS()), bulletin, content)
		}
		sum := sha256.Sum256(content)
		base, extension, _ := strings.Cut(name, ".")
		assets[name] = asset{fmt.Sprintf("/static/%s-%s.%s", base, hex.EncodeToString(sum[:6]), extension), kind, content}
	}
	return assets, nil
}

func (s *Server) assetPath(name string) string { return s.assets[name].path }

func (s *Server) static(v *visit) error {
	for _, one := range s.assets {
		if one.path == v.r.URL.Path {
			return v.send(http.StatusOK, one.kind, "public, max-age=31536000, immutable", one.content)
		}
	}
	return refuse(http.StatusNotFound, "not_found")
}
