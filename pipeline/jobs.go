package pipeline

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"tongbao/register"
)

// DefaultZone is the zone of jobs and due days that name none.
const DefaultZone = "Asia/Shanghai"

// Bounds of a job's keys; the messages that enforce them name them.
const (
	MaxRetries = 10
	MaxTimeout = 7 * 24 * time.Hour
)

// Job is one entry of jobs in tongbao.yaml: what the service does, and when.
type Job struct {
	Name string `yaml:"name" doc:"name of the job, in small letters, digits, - and _"`
	// Schedule or On says when.
	Schedule   string        `yaml:"schedule,omitempty" doc:"five fields (minute hour day month weekday), or @monthly, @weekly, @daily, @hourly"`
	On         string        `yaml:"on,omitempty" doc:"instead of schedule: 3rd working day, last working day (of every month)"`
	At         string        `yaml:"at,omitempty" doc:"with on: the time of that day, such as 06:30"`
	Timezone   string        `yaml:"timezone,omitempty" doc:"zone of the times; Asia/Shanghai if absent"`
	Calendar   string        `yaml:"calendar,omitempty" doc:"every day (if absent), or working days: holidays are passed over, make-up days count"`
	Steps      []Step        `yaml:"steps" doc:"what is done, in order: pull, run, publish, report, backup, prune"`
	CatchUp    string        `yaml:"catchup,omitempty" doc:"times that passed while the service was down: none, last (if absent) or all"`
	Overlap    string        `yaml:"overlap,omitempty" doc:"its time comes while the run before is not over: skip (if absent) or queue"`
	Retries    int           `yaml:"retries,omitempty" doc:"how often a failed or interrupted run is tried again, 0 to 10"`
	RetryDelay time.Duration `yaml:"retry_delay,omitempty" doc:"wait before it is tried again; 5m if absent"`
	Timeout    time.Duration `yaml:"timeout,omitempty" doc:"a run that takes longer is stopped and has failed; 6h if absent, at most 168h"`

	table timetable
	zone  *time.Location
}

// Step is one step of a job: a word, or a word with what it is about, such as
// pull: [tickets_12345].
type Step register.PlanStep

// stepNames are the steps that there are.
var stepNames = []string{"pull", "run", "publish", "report", "backup", "prune"}

// UnmarshalYAML accepts "pull" as well as "pull: [a, b]" and "report: folder".
func (s *Step) UnmarshalYAML(decode func(any) error) error {
	if err := decode(&s.Step); err == nil {
		return nil
	}
	var long map[string]oneOrMore
	if err := decode(&long); err != nil {
		return err
	}
	if len(long) != 1 {
		return fmt.Errorf("a step is one word, or one word with a list: \"- pull: [tickets_12345]\"")
	}
	for name, args := range long {
		s.Step, s.Args = name, args
	}
	return nil
}

// oneOrMore is one text or a list of texts.
type oneOrMore []string

func (o *oneOrMore) UnmarshalYAML(decode func(any) error) error {
	var one string
	if err := decode(&one); err == nil {
		*o = oneOrMore{one}
		return nil
	}
	return decode((*[]string)(o))
}

var jobName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)

// prepareJobs fills in what is absent and checks what stands there; sources
// are the names that a pull may list.
func (w Workspace) prepareJobs(now time.Time, sources []string) ([]Job, error) {
	if len(w.Config.Jobs) == 0 {
		return nil, nil
	}
	days, err := readCalendar(w.seedsDir())
	if err != nil {
		return nil, &Problem{err}
	}
	jobs := slices.Clone(w.Config.Jobs)
	seen := map[string]bool{}
	for i := range jobs {
		job := &jobs[i]
		err := job.prepare(days, now, sources)
		if err == nil && seen[job.Name] {
			err = keyf("name", "is taken by a job above")
		}
		if err != nil {
			return nil, w.wrongConfig(w.Config.text, under(fmt.Sprintf("jobs[%d]", i), job.Name, err))
		}
		seen[job.Name] = true
	}
	return jobs, nil
}

func (j *Job) prepare(days calendar, now time.Time, sources []string) error {
	setDefault(&j.Timezone, DefaultZone)
	setDefault(&j.Calendar, "every day")
	setDefault(&j.CatchUp, "last")
	setDefault(&j.Overlap, "skip")
	setDefault(&j.RetryDelay, 5*time.Minute)
	setDefault(&j.Timeout, 6*time.Hour)
	for _, one := range []struct {
		key, value string
		want       []string
	}{
		{"calendar", j.Calendar, []string{"every day", "working days"}},
		{"catchup", j.CatchUp, []string{"none", "last", "all"}},
		{"overlap", j.Overlap, []string{"skip", "queue"}},
	} {
		if !slices.Contains(one.want, one.value) {
			return keyf(one.key, "%q: want %s", one.value, strings.Join(one.want, " or "))
		}
	}
	switch {
	case !jobName.MatchString(j.Name):
		return keyf("name", "%q: want at most 40 small letters, digits, - and _", j.Name)
	case j.Retries < 0 || j.Retries > MaxRetries:
		return keyf("retries", "%d: want 0 to %d", j.Retries, MaxRetries)
	case j.RetryDelay < 0 || j.RetryDelay > MaxTimeout:
		return keyf("retry_delay", "%s: want 0s to %s", j.RetryDelay, MaxTimeout)
	case j.Timeout < 0 || j.Timeout > MaxTimeout:
		return keyf("timeout", "%s: want at most %s", j.Timeout, MaxTimeout)
	}
	if err := j.checkSteps(sources); err != nil {
		return err
	}
	return j.makeTable(days, now)
}

func setDefault[T comparable](value *T, absent T) {
	var zero T
	if *value == zero {
		*value = absent
	}
}

func (j *Job) checkSteps(sources []string) error {
	if len(j.Steps) == 0 {
		return keyf("steps", "none; want some of %s", strings.Join(stepNames, ", "))
	}
	for _, step := range j.Steps {
		switch {
		case !slices.Contains(stepNames, step.Step):
			return keyf("steps", "%q: want one of %s", step.Step, strings.Join(stepNames, ", "))
		case step.Step == "pull":
			for _, source := range step.Args {
				if !slices.Contains(sources, source) {
					return keyf("steps", "pull: %q: no such source; data/sources/ has %s", source, strings.Join(sources, ", "))
				}
			}
		case len(step.Args) > 1 || len(step.Args) > 0 && slices.Contains([]string{"run", "publish", "prune"}, step.Step):
			return keyf("steps", "%s: %q is more than it takes", step.Step, step.Args)
		}
	}
	return nil
}

// makeTable reads when the job is due.
func (j *Job) makeTable(days calendar, now time.Time) error {
	var err error
	if j.zone, err = time.LoadLocation(j.Timezone); err != nil || j.Timezone == "Local" {
		return keyf("timezone", "%q: want a name such as Asia/Shanghai", j.Timezone)
	}
	j.table = timetable{zone: j.zone, calendar: days, onlyWorking: j.Calendar == "working days"}
	switch {
	case (j.Schedule == "") == (j.On == ""):
		return fmt.Errorf("want either schedule (or \"on\": 3rd working day, with at: 06:30)")
	case j.Schedule != "":
		if j.At != "" {
			return keyf("at", "belongs to on; a schedule names its time itself")
		}
		if j.table.civil, err = parseCron(j.Schedule); err != nil {
			return keyf("schedule", "%q: %w", j.Schedule, err)
		}
	default:
		nth, err := parseWorkingDay(j.On)
		if err != nil {
			return under("on", "", err)
		}
		clock, err := parseClock(j.At)
		if err != nil {
			return under("at", "", err)
		}
		j.table.civil = onWorkingDay(days, nth, clock)
	}
	if j.table.next(now).IsZero() {
		return keyf("schedule", "%q has no time within %d years", j.when(), horizonYears)
	}
	return nil
}

// when is the job's schedule in one text; the register keeps it, so that a
// changed schedule does not make up for times that it did not have.
func (j *Job) when() string {
	words := []string{j.Schedule, j.On, j.At, j.Timezone, j.Calendar}
	return strings.Join(slices.DeleteFunc(words, func(word string) bool { return word == "" }), ", ")
}

// plan is the job's steps as its runs keep them.
func (j *Job) plan() []register.PlanStep {
	plan := make([]register.PlanStep, len(j.Steps))
	for i, step := range j.Steps {
		plan[i] = register.PlanStep(step)
	}
	return plan
}
