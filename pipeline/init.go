package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"tongbao/data"
	"tongbao/etl"
	"tongbao/register"
)

const configText = `# A tongbao workspace. Every key is explained in docs/operations.md.
town: %s          # heads the bulletin
publish: %s       # auto: a run that passes its checks publishes; manual: an act of the taskforce does
memory: 4GB       # bound of the engine's buffers
threads: 2

listen: 127.0.0.1:9720   # /healthz, /readyz and /metrics of the service; off for none
# The portal: what readers see in a browser. The first account is made with
# "tongbao account add NAME --role admin"; docs/portal.md has the rest.
portal:
  listen: 127.0.0.1:8311
  # certificate: tls/chain.pem
  # key: tls/key.pem
# The PostgreSQL door for psql, DBeaver, R and Python (docs/sql.md):
# pgwire:
#   listen: 127.0.0.1:5433
#   certificate: tls/chain.pem
#   key: tls/key.pem
log:
  keep_days: 184         # logs and history; the law asks for six months

# Who is told when a run fails, a source is late, much goes to quarantine, or a
# version is published. Addresses with a secret come from the environment.
# notify:
#   channels:
#     - name: taskforce
#       kind: dingtalk             # or webhook, wecom, feishu, smtp, file
#       url_env: TONGBAO_DINGTALK_URL

# Backups hold personal data and are encrypted: set TONGBAO_BACKUP_PASSPHRASE where
# the service is started, then take the comment away from the job "backup" below.
backup:
  to: ../backups         # another disk is better
  keep: 14

# What "tongbao serve" does by itself. A job has a schedule (five fields: minute
# hour day month weekday, or @daily, @monthly …) or "on" with "at"; times are
# those of Asia/Shanghai unless timezone says another zone. It works for the
# last whole month. "tongbao status --jobs" says when each is due.
jobs:
  # Every night: take in what came, compute what it touches, check, build.
  - name: nightly
    schedule: "30 2 * * *"
    steps: [pull, run]
    catchup: last        # nights that passed while the service was down: none, last or all
    overlap: skip        # the run before is not over: skip or queue
    retries: 2           # a run that failed or was interrupted is tried again
    retry_delay: 10m
    timeout: 2h
  # On working days also at noon; make-up days count, holidays do not.
  - name: noon
    schedule: "0 12 * * *"
    calendar: working days
    steps: [pull]
    catchup: none
  # The cut-off: the month is published for appeal, and its workbook and page
  # are put into data/reports.
  - name: cut-off
    on: 3rd working day  # or: last working day
    at: "18:30"
    steps: [pull, run, publish, report]
    retries: 3
    retry_delay: 10m
  # Old builds, logs, history and backups go; published versions and raw/ stay.
  - name: tidy
    schedule: "0 4 * * 0"
    steps: [prune]
    catchup: none
  # - name: backup
  #   schedule: "30 4 * * *"
  #   steps: [backup]
  #   retries: 1
`

// demoSalt makes the demo town's hashes the same everywhere, so that two
// people who make it see the same bytes. A real workspace draws its own.
const demoSalt = "demo"

// schemaName is the JSON Schema beside the source definitions, for editors.
const schemaName = "schema.json"

// Init makes a workspace in dir: configuration, seeds and source definitions.
// An existing workspace is left alone.
func Init(dir, town, publish string) error {
	config := filepath.Join(dir, ConfigName)
	if _, err := os.Stat(config); err == nil {
		return problemf("%s exists; init makes a new workspace only", config)
	}
	for name, mode := range map[string]fs.FileMode{
		"data/inbox": 0o755, "data/raw": 0o700, "data/warehouse": 0o700,
	} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(name)), mode); err != nil {
			return fmt.Errorf("init %s: %w", dir, err)
		}
	}
	for folder, files := range map[string]fs.FS{"seeds": data.Seeds, "sources": data.Sources} {
		if err := copyMissing(files, filepath.Join(dir, "data", folder)); err != nil {
			return fmt.Errorf("init %s: %w", dir, err)
		}
	}
	schema, err := etl.Schema()
	if err != nil {
		return err
	}
	if err := writeWhole(filepath.Join(dir, "data", "sources", schemaName), schema); err != nil {
		return fmt.Errorf("init %s: %w", dir, err)
	}
	// The configuration comes last: it is what makes the folder a workspace.
	return writeWhole(config, fmt.Appendf(nil, configText, town, publish))
}

// InitDemo makes a workspace with a made-up town and its deliveries.
func InitDemo(ctx context.Context, demo data.Demo) error {
	if _, err := os.Stat(filepath.Join(demo.Dir, ConfigName)); err == nil {
		return problemf("%s exists; init makes a new workspace only", filepath.Join(demo.Dir, ConfigName))
	}
	if _, err := data.WriteDemo(ctx, demo); err != nil {
		return fmt.Errorf("init %s: %w", demo.Dir, err)
	}
	reg, err := register.Open(ctx, filepath.Join(demo.Dir, "data", "register.db"))
	if err != nil {
		return err
	}
	err = reg.SetSalt(ctx, demoSalt)
	if closing := reg.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	return Init(demo.Dir, "青禾镇（演示）", "auto")
}

// copyMissing copies the files that dir does not have yet.
func copyMissing(files fs.FS, dir string) error {
	return fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		target := filepath.Join(dir, filepath.FromSlash(name))
		if err != nil || entry.IsDir() {
			return errors.Join(err, os.MkdirAll(target, 0o755))
		}
		if _, err := os.Stat(target); err == nil {
			return nil
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o644)
	})
}
