package register

import (
	"slices"
	"strings"
)

// Role is what an account is for. It has one role; who needs two has two
// accounts.
type Role string

// The roles.
const (
	RoleLeader       Role = "leader"
	RoleTaskforce    Role = "taskforce"
	RoleLine         Role = "line" // owner of one of the nine
	RoleUnit         Role = "unit" // one community
	RoleStatistician Role = "statistician"
	RoleOperator     Role = "operator"
	RoleAuditor      Role = "auditor"
	RoleAdmin        Role = "admin"
)

// Roles lists them all.
func Roles() []Role {
	return []Role{RoleLeader, RoleTaskforce, RoleLine, RoleUnit, RoleStatistician, RoleOperator, RoleAuditor, RoleAdmin}
}

// Door is a page, a kind of page or another way in.
type Door string

// The doors. A page of the portal names its door in its route.
const (
	DoorHome         Door = "home"
	DoorArchive      Door = "archive"
	DoorLine         Door = "line"
	DoorUnit         Door = "unit"
	DoorIndicator    Door = "indicator"
	DoorRecords      Door = "records"      // single rows behind a number
	DoorStaff        Door = "staff"        // the ranking of grid members
	DoorCoordination Door = "coordination" // what the monthly meeting decides
	DoorHealth       Door = "health"       // loads, reconciliation, quarantine counts, freshness
	DoorRuns         Door = "runs"         // the history of runs, and acts on them
	DoorSQL          Door = "sql"          // also saved queries and the dictionary
	DoorAPI          Door = "api"
	DoorPgwire       Door = "pgwire"
	DoorAccounts     Door = "accounts"
	DoorAudit        Door = "audit"
	DoorOwn          Door = "own" // one's own password, sessions and tokens
)

// doors is the table of role × door; what is not here is shut. The rules: an
// account sees what its post needs; who manages accounts reads no results, who
// runs jobs reads no tickets, who audits changes nothing.
var doors = []struct {
	doors string
	roles []Role
}{
	{"home archive line unit indicator", []Role{RoleLeader, RoleTaskforce, RoleLine, RoleUnit, RoleStatistician, RoleAuditor}},
	{"records", []Role{RoleTaskforce, RoleLine, RoleUnit}},
	{"staff", []Role{RoleTaskforce}},
	{"coordination", []Role{RoleLeader, RoleTaskforce, RoleLine, RoleUnit}},
	{"health", []Role{RoleLeader, RoleTaskforce, RoleLine, RoleStatistician, RoleOperator, RoleAuditor}},
	{"runs", []Role{RoleOperator}},
	{"sql api pgwire", []Role{RoleTaskforce, RoleStatistician, RoleAuditor}},
	{"accounts", []Role{RoleAdmin}},
	{"audit", []Role{RoleAuditor}},
	{"own", Roles()},
}

// Doors lists all doors of the table.
func Doors() []Door {
	var all []Door
	for _, entry := range doors {
		for _, door := range strings.Fields(entry.doors) {
			all = append(all, Door(door))
		}
	}
	return all
}

// May says whether a role may go through a door.
func May(role Role, door Door) bool {
	for _, entry := range doors {
		if slices.Contains(strings.Fields(entry.doors), string(door)) {
			return slices.Contains(entry.roles, role)
		}
	}
	return false
}

// audiences says as which audience a role reads the bulletin's tables, and
// which edition it gets. A role that is not here reads none; see View.
var audiences = map[Role]Audience{
	RoleLeader: Leaders, RoleTaskforce: Taskforce, RoleLine: Leaders, RoleUnit: Unit, RoleStatistician: Statisticians, RoleAuditor: Statisticians,
}

// AudienceOf is the audience of a role, "" for one that reads no results.
func AudienceOf(role Role) Audience { return audiences[role] }

// View is what one account may see of one bulletin table.
type View struct {
	Sight
	// Line is the column with a row's line: only the rows of the account's own
	// line are seen. "" means the rows of all.
	Line string
}

// Views returns what an account may see, by name of the bulletin table. Sight.Own
// is to be held against the name of the account's community, View.Line against
// its line. The map is the caller's.
func Views(a Account) map[string]View {
	views := map[string]View{}
	for table, sight := range Seen(AudienceOf(a.Role)) {
		views[table] = View{Sight: sight}
	}
	switch a.Role {
	case RoleLine:
		// The owner of a line hears appeals about it: its records, as masked as
		// a community sees its own, but of all communities.
		for _, table := range tables("lost_record counted_record") {
			views[table] = View{Sight: Sight{Without: Seen(Unit)[table].Without}, Line: "line"}
		}
	case RoleOperator:
		for _, table := range tables("heading quality_load quality_note quality_quarantine") {
			if sight, found := Seen(Statisticians)[table]; found {
				views[table] = View{Sight: sight}
			}
		}
	}
	return views
}
