package data

import (
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"tongbao"
)

// town is the made-up town's tree and people.
type town struct {
	communities []*community
	buildings   []*building // those of the first month, by code
	all         map[string]*building
	split       *building // split in the period
	splitMonth  tongbao.Month
	posts       []post
	people      []string // codes of grid members
}

type community struct {
	id, name, oldName string
	quality           float64 // how well things are done, 0.9 to 0.99
	areas             []*area
	buildings         []*building
}

type area struct {
	id, name  string
	community *community
}

type building struct {
	id, name   string
	area       *area
	community  *community
	households int
	group      string
	party      bool
	staff      string // who holds it in the first month
	from, to   tongbao.Month
	successors []*building
}

type post struct {
	staff, grid, role string
	from, to          time.Time // to zero: still held
}

var (
	communityNames = []string{"锦苑", "中苑", "东苑", "怡苑", "南苑", "新苑", "西苑", "北苑"}
	qualities      = []float64{0.985, 0.975, 0.972, 0.966, 0.96, 0.955, 0.945, 0.925}
	peerGroups     = []string{"安置小区", "安置小区", "商品房小区", "老旧小区"}
)

const townCode = "329118110000"

// makeTown lays the tree out: 1 town community, 8 communities, 16 areas, and
// the building grids dealt out evenly.
func makeTown(r *rand.Rand, demo Demo) town {
	t := town{all: map[string]*building{}, splitMonth: demo.Until.Add(-6)}
	for i, name := range communityNames {
		c := &community{
			id: fmt.Sprintf("329118110%03d", 200+i), name: name + "社区", oldName: name + "小区居委会", quality: qualities[i],
		}
		for j, side := range []string{"东片区", "西片区"} {
			c.areas = append(c.areas, &area{id: fmt.Sprintf("%s9%02d", c.id, j+1), name: side, community: c})
		}
		t.communities = append(t.communities, c)
	}
	for i := range demo.Grids {
		c := t.communities[i%len(t.communities)]
		n := len(c.buildings) + 1
		b := &building{
			id: fmt.Sprintf("%s%03d", c.id, n), name: fmt.Sprintf("%d幢", n), area: c.areas[n%2], community: c,
			households: 120 + r.IntN(61), group: peerGroups[(i/3)%len(peerGroups)], party: true,
		}
		c.buildings = append(c.buildings, b)
		t.buildings = append(t.buildings, b)
		t.all[b.id] = b
	}
	t.splitOne(demo)
	t.staff(r, demo)
	return t
}

// splitOne splits the first community's second building: from splitMonth on
// two grids take its place.
func (t *town) splitOne(demo Demo) {
	if demo.Months < 8 {
		return
	}
	c := t.communities[0]
	old := c.buildings[1]
	old.to = t.splitMonth.Prev()
	for i, half := range []string{"甲", "乙"} {
		b := &building{
			id: fmt.Sprintf("%s%03d", c.id, 800+i), name: old.name + half, area: old.area, community: c,
			households: old.households / 2, group: old.group, party: i == 0, from: t.splitMonth,
		}
		old.successors = append(old.successors, b)
		t.all[b.id] = b
	}
	t.split = old
}

// at returns the building grid that a grid's facts count at on the month's
// last day.
func (t *town) at(id string, month tongbao.Month) *building {
	b := t.all[id]
	for b.to != 0 && month > b.to {
		b = b.successors[0]
	}
	return b
}

// living lists the building grids of a month.
func (t *town) living(month tongbao.Month) []*building {
	var living []*building
	for _, b := range t.buildings {
		if b.to != 0 && month > b.to {
			living = append(living, b.successors...)
		} else {
			living = append(living, b)
		}
	}
	return living
}

// staff gives every building a grid member; some hold two, some hand over in
// the period.
func (t *town) staff(r *rand.Rand, demo Demo) {
	start := time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)
	first := demo.Until.Add(1 - demo.Months)
	hire := func() string {
		t.people = append(t.people, fmt.Sprintf("W%04d", len(t.people)+1))
		return t.people[len(t.people)-1]
	}
	for i, b := range t.buildings {
		if i%29 == 28 {
			b.staff = t.buildings[i-8].staff // one person, two grids
		} else {
			b.staff = hire()
		}
		held := post{staff: b.staff, grid: b.id, role: "网格员", from: start}
		if b == t.split {
			held.to = t.splitMonth.First().AddDate(0, 0, -1)
		} else if i%17 == 5 {
			changes := first.Add(r.IntN(max(demo.Months, 1))).First()
			held.to = changes.AddDate(0, 0, -1)
			t.posts = append(t.posts, post{staff: hire(), grid: b.id, role: "网格员", from: changes})
		}
		t.posts = append(t.posts, held)
		for _, half := range b.successors {
			half.staff = hire()
			t.posts = append(t.posts, post{staff: half.staff, grid: half.id, role: "网格员", from: t.splitMonth.First()})
		}
	}
	for i, c := range t.communities {
		t.posts = append(t.posts, post{staff: fmt.Sprintf("H%02d", i+1), grid: c.id, role: "网格长", from: start})
		for j, a := range c.areas {
			t.posts = append(t.posts, post{staff: fmt.Sprintf("P%02d", 2*i+j+1), grid: a.id, role: "片长", from: start})
		}
	}
}

// holder is who holds a building grid on a day.
func (t *town) holder(b *building, day time.Time) string {
	for _, p := range t.posts {
		if p.grid == b.id && p.role == "网格员" && !day.Before(p.from) && (p.to.IsZero() || !day.After(p.to.Add(24*time.Hour-time.Second))) {
			return p.staff
		}
	}
	return b.staff
}

// writeTown writes the seeds that describe the town.
func (m *maker) writeTown() error {
	const opened = "2020-01-01"
	grids := [][]string{{"grid_id", "parent_id", "level", "name", "households", "peer_group", "has_party_group", "valid_from", "valid_to", "predecessors"}}
	aliases := [][]string{{"alias", "grid_id", "valid_from", "valid_to"}}
	grids = append(grids, []string{townCode, "", "1", "青禾新城", "", "", "", opened, "", ""})
	for _, c := range m.town.communities {
		grids = append(grids, []string{c.id, townCode, "2", c.name, "", "", "", opened, "", ""})
		aliases = append(aliases, []string{c.oldName, c.id, opened, ""})
		for _, a := range c.areas {
			grids = append(grids, []string{a.id, c.id, "3", a.name, "", "", "", opened, "", ""})
		}
	}
	row := func(b *building, predecessors string) {
		from, to := opened, ""
		if b.from != 0 {
			from = b.from.First().Format(time.DateOnly)
		}
		if b.to != 0 {
			to = b.to.Next().First().AddDate(0, 0, -1).Format(time.DateOnly)
		}
		grids = append(grids, []string{b.id, b.area.id, "4", b.name, strconv.Itoa(b.households), b.group, strconv.FormatBool(b.party), from, to, predecessors})
		// The hotline writes the committee's old name and a number sign.
		aliases = append(aliases, []string{b.community.oldName + b.name, b.id, from, to})
	}
	for _, b := range m.town.buildings {
		row(b, "")
		for _, half := range b.successors {
			row(half, b.id)
		}
	}
	people := [][]string{{"staff_id", "name", "role"}}
	for i, code := range m.town.people {
		people = append(people, []string{code, personName(i), "网格员"})
	}
	for i := range m.town.communities {
		people = append(people, []string{fmt.Sprintf("H%02d", i+1), personName(500 + i), "网格长"},
			[]string{fmt.Sprintf("P%02d", 2*i+1), personName(600 + i), "片长"}, []string{fmt.Sprintf("P%02d", 2*i+2), personName(700 + i), "片长"})
	}
	posts := [][]string{{"staff_id", "grid_id", "role", "valid_from", "valid_to"}}
	for _, p := range m.town.posts {
		to := ""
		if !p.to.IsZero() {
			to = p.to.Format(time.DateOnly)
		}
		posts = append(posts, []string{p.staff, p.grid, p.role, p.from.Format(time.DateOnly), to})
	}
	for name, records := range map[string][][]string{"grid": grids, "grid_alias": aliases, "staff": people, "assignment": posts} {
		if err := writeSeed(filepath.Join(m.Dir, "data", "seeds", name+".csv"), records); err != nil {
			return err
		}
	}
	return nil
}

func writeSeed(path string, records [][]string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	writer := csv.NewWriter(file)
	err = writer.WriteAll(records)
	if closing := file.Close(); err == nil {
		err = closing
	}
	return err
}

// personName makes a name that nobody has to have.
func personName(i int) string {
	family := []rune("赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨")
	given := []rune("安宁康泰和顺祥瑞明远清扬书文思齐")
	return string([]rune{family[i%len(family)], given[i/len(family)%len(given)], given[(i*7+3)%len(given)]})
}
