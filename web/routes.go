package web

import (
	"net/http"

	"tongbao/register"
)

// route is one line of the table of all routes. Door "" is open to everybody,
// also to who is not signed in; all else asks register.May.
type route struct {
	pattern string // method and path
	door    register.Door
	do      func(*visit) error
	nav     string // key of its word in the navigation, "" for none
}

// routes are all that the portal answers. A page is one line here, one
// page_<name>.go and one template of that name.
func (s *Server) routes() []route {
	return []route{
		{"GET /{$}", register.DoorHome, s.home, "home"},
		{"GET /archive", register.DoorArchive, s.archive, "archive"},
		{"GET /archive/{month}/{version}/{file...}", register.DoorArchive, s.publishedFile, ""},
		{"GET /line", register.DoorLine, s.lines, "line"},
		{"GET /line/{line}", register.DoorLine, s.line, ""},
		{"GET /unit", register.DoorUnit, s.units, "unit"},
		{"GET /unit/{grid}", register.DoorUnit, s.unit, ""},
		{"GET /records", register.DoorRecords, s.records, "records"},
		{"GET /indicator", register.DoorIndicator, s.indicators, "indicator"},
		{"GET /indicator/{code}", register.DoorIndicator, s.indicator, ""},
		{"GET /staff", register.DoorStaff, s.staff, "staff"},
		{"GET /coordination", register.DoorCoordination, s.coordination, "coordination"},
		{"GET /health", register.DoorHealth, s.health, "health"},

		{"GET /runs", register.DoorRuns, s.runs, "runs"},
		{"POST /runs", register.DoorRuns, s.runAsked, ""},
		{"GET /runs/{run}", register.DoorRuns, s.runShown, ""},
		{"GET /runs/{run}/events", register.DoorRuns, s.runEvents, ""},
		{"POST /runs/{run}/retry", register.DoorRuns, s.runRetried, ""},
		{"POST /runs/{run}/cancel", register.DoorRuns, s.runCancelled, ""},
		{"GET /accounts", register.DoorAccounts, s.accounts, "accounts"},
		{"POST /accounts", register.DoorAccounts, s.accountAdded, ""},
		{"GET /accounts/{name}", register.DoorAccounts, s.accountShown, ""},
		{"POST /accounts/{name}", register.DoorAccounts, s.accountChanged, ""},
		{"POST /accounts/{name}/link", register.DoorAccounts, s.accountLink, ""},
		{"GET /audit", register.DoorAudit, s.auditShown, "audit"},
		{"GET /audit/export", register.DoorAudit, s.auditExported, ""},

		{"GET /sign-in", "", s.signIn, ""},
		{"POST /sign-in", "", s.signInDone, ""},
		{"GET /oidc", "", s.oidcStart, ""},
		{"GET /oidc/done", "", s.oidcDone, ""},
		{"GET /welcome", "", s.welcome, ""},
		{"POST /welcome", "", s.welcomeDone, ""},
		{"POST /locale", "", s.setLocale, ""},
		{"POST /sign-out", register.DoorOwn, s.signOut, ""},
		{"GET /own", register.DoorOwn, s.own, ""},
		{"POST /own/password", register.DoorOwn, s.ownPassword, ""},
		{"POST /own/sign-out", register.DoorOwn, s.signOutEverywhere, ""},

		{"GET /sql", register.DoorSQL, s.sql, "sql"},
		{"POST /sql", register.DoorSQL, s.sqlDone, ""},
		{"POST /sql/cancel", register.DoorSQL, s.sqlCancel, ""},
		{"GET /sql/tokens", register.DoorSQL, s.tokens, ""},
		{"POST /sql/tokens", register.DoorSQL, s.tokenMade, ""},
		{"POST /sql/tokens/{token}/revoke", register.DoorSQL, s.tokenRevoked, ""},
		{"GET /saved", register.DoorSQL, s.saved, "saved"},
		{"POST /saved/{saved}/remove", register.DoorSQL, s.savedRemoved, ""},
		{"GET /dictionary", register.DoorSQL, s.dictionary, "dictionary"},
		{"GET /api/v1", register.DoorAPI, s.apiIndex, ""},
		{"GET /api/v1/{name}", register.DoorAPI, s.apiRead, ""},
		{"GET /api/v1/tables", register.DoorAPI, s.apiTables, ""},
		{"POST /api/v1/query", register.DoorAPI, s.apiQuery, ""},
		{"/api/", register.DoorAPI, s.apiNotFound, ""},

		{"GET /static/{name}", "", s.static, ""},
		{"/", "", s.notFound, ""},
	}
}

func (s *Server) mux() http.Handler {
	mux := http.NewServeMux()
	for _, one := range s.routes() {
		mux.Handle(one.pattern, s.answer(one))
	}
	return mux
}
