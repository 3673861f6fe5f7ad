package web

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tongbao/register"
)

// shownEntries is how many entries of the audit log a page has.
const shownEntries = 100

// auditBody is a page of the audit log, newest first.
type auditBody struct {
	Entries      []auditEntry
	Account, Act string // of the filter
	Since, Until string
	Acts         []string
	Older        string // address of the next page, "" for none
	Head         register.Head
	IsVerified   bool   // the chain was walked, and holds all printed heads
	Broken       string // what is wrong with it, "" for nothing
	Export       string
	Keep         int
}

type auditEntry struct {
	register.AuditEntry
	Detail string
}

// auditKeep is how long entries are kept at the least, in days; they are never
// removed.
const auditKeep = 184

func auditActs() []string {
	return []string{register.ActSignedIn, register.ActRefused, register.ActSignedOut, register.ActPageRefused, register.ActRecords, register.ActExport, register.ActQuery,
		register.ActRunAsked, register.ActRunCancelled, register.ActAccountAdded, register.ActAccountChanged, register.ActPassword, register.ActLinkMade,
		register.ActTokenMade, register.ActTokenRevoked, register.ActAuditExport}
}

// auditFilter reads the filter of the address; days are the reader's own.
func (v *visit) auditFilter() (register.AuditFilter, error) {
	query := v.r.URL.Query()
	filter := register.AuditFilter{Account: strings.TrimSpace(query.Get("account")), Act: query.Get("act")}
	for key, into := range map[string]*time.Time{"since": &filter.Since, "until": &filter.Until} {
		if text := query.Get(key); text != "" {
			day, err := time.ParseInLocation(time.DateOnly, text, time.Local)
			if err != nil {
				return filter, refuse(http.StatusBadRequest, "bad_form")
			}
			if key == "until" {
				day = day.AddDate(0, 0, 1)
			}
			*into = day
		}
	}
	if text := query.Get("before"); text != "" {
		before, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return filter, refuse(http.StatusBadRequest, "bad_form")
		}
		filter.Before = before
	}
	return filter, nil
}

func (s *Server) auditShown(v *visit) error {
	filter, err := v.auditFilter()
	if err != nil {
		return err
	}
	query := v.r.URL.Query()
	body := auditBody{Account: filter.Account, Act: filter.Act, Since: query.Get("since"), Until: query.Get("until"), Acts: auditActs(), Keep: auditKeep}
	filter.Limit = shownEntries
	err = s.Register.EachAudit(v.r.Context(), filter, func(e register.AuditEntry) error {
		body.Entries = append(body.Entries, auditEntry{e, v.words.detail(e.Detail)})
		return nil
	})
	if err != nil {
		return err
	}
	if len(body.Entries) == shownEntries {
		query.Set("before", strconv.FormatInt(body.Entries[shownEntries-1].Seq, 10))
		body.Older = "/audit?" + query.Encode()
	}
	query.Del("before")
	body.Export = "/audit/export?" + query.Encode()
	if query.Get("verify") != "" {
		body.Head, err = s.Register.VerifyAudit(v.r.Context(), s.printedHeads()...)
		body.IsVerified = err == nil
		if errors.Is(err, register.ErrChain) {
			body.Broken, err = err.Error(), nil
		}
	} else {
		body.Head, err = s.Register.AuditHead(v.r.Context())
	}
	if err != nil {
		return err
	}
	v.w.Header().Set("Cache-Control", "no-store")
	return v.show("audit", body)
}

// printedHeads are the heads of the audit log in the manifests of all that is
// published: the log must still hold them.
func (s *Server) printedHeads() []register.Head {
	months, err := s.library.all()
	if err != nil {
		return nil
	}
	var heads []register.Head
	for _, month := range months {
		for _, number := range month.Versions {
			if manifest, err := s.library.manifest(month.Month, number); err == nil {
				heads = append(heads, manifest.Audit)
			}
		}
	}
	return heads
}

// detail writes an entry's detail in the reader's words.
func (w *words) detail(detail map[string]any) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(detail)) {
		value, _ := json.Marshal(detail[key])
		written := strings.Trim(string(value), `"`)
		if written == "" || written == "false" {
			continue
		}
		word := key
		if known, found := w.text["detail."+key]; found {
			word = known
		}
		if key == "role" {
			written = w.say("role." + written)
		}
		parts = append(parts, word+" "+w.codes(written))
	}
	return strings.Join(parts, " · ")
}

// auditExported writes the log as JSON lines; who took it away is written
// first.
func (s *Server) auditExported(v *visit) error {
	filter, err := v.auditFilter()
	if err != nil {
		return err
	}
	if err := v.audit(register.ActAuditExport, v.r.URL.RawQuery, nil); err != nil {
		return err
	}
	if err := http.NewResponseController(v.w).SetWriteDeadline(time.Now().Add(downloadWithin)); err != nil {
		return err
	}
	header := v.w.Header()
	header.Set("Content-Type", "application/x-ndjson")
	header.Set("Content-Disposition", `attachment; filename="audit.jsonl"`)
	return s.Register.ExportAudit(v.r.Context(), filter, v.w)
}
