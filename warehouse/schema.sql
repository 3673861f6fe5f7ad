-- Tables that no query file makes: seeds, register mirrors, what etl lands, the load ledger.
create schema if not exists seed;
create schema if not exists register;
create schema if not exists landed;
create schema if not exists core;
create schema if not exists indicator;
create schema if not exists score;
create schema if not exists ranking;
create schema if not exists confidence;
create schema if not exists bulletin;
create schema if not exists meta;

create table if not exists seed.line (line text, name text, position bigint);
create table if not exists seed.grid (
    grid_id text, parent_id text, level integer, name text, households bigint,
    peer_group text, has_party_group boolean, valid_from date, valid_to date,
    predecessors text[]
);
create table if not exists seed.grid_alias (alias text, grid_id text, valid_from date, valid_to date);
create table if not exists seed.staff (staff_id text, name text, role text);
create table if not exists seed.assignment (staff_id text, grid_id text, role text, valid_from date, valid_to date);
create table if not exists seed.category (category text, name text, line text, kind text, is_sensitive boolean);
create table if not exists seed.time_limit (category text, urgency text, amount bigint, clock text, stage text);
create table if not exists seed.clock (clock text, opens_minute bigint, closes_minute bigint, is_working_days_only boolean);
create table if not exists seed.calendar (day date, is_working boolean, name text, working_day_no bigint);
create table if not exists seed.source_due (
    source text, month date, name text, level text, due_at timestamp, rule text, delivered_at timestamp
);
create table if not exists seed.clock_day (clock text, day date, opens_minute bigint, open_minutes bigint, minutes_before bigint);
create table if not exists seed.rubric_version (
    version text, name text, valid_from date, valid_to date, rounding text,
    min_cases bigint, pool_cases bigint, min_coverage bigint, repair_satisfaction text
);
create table if not exists seed.line_weight (line text, weight bigint, valid_from date, valid_to date);
create table if not exists seed.rubric (
    indicator text, line text, position bigint, name text, points bigint, rule text,
    target bigint, k bigint, cap bigint, floor bigint, per bigint, min_cases bigint,
    cohort text, fact text, is_community boolean, is_area boolean, is_building boolean,
    is_staff boolean, paired_with text, veto_scope text, veto_level integer,
    clause text, na text, valid_from date, valid_to date
);
create table if not exists seed.rubric_step (
    indicator text, valid_from date, step bigint, part text, threshold bigint,
    points bigint, cap bigint
);
create table if not exists seed.severity (indicator text, word text, part text);
create table if not exists seed.reward (
    rule text, place_from bigint, place_to bigint, amount decimal(14, 2),
    valid_from date, valid_to date
);
create table if not exists seed.grade (grade text, name text, threshold bigint, valid_from date, valid_to date);

create table if not exists register.period (month date, state text);

create table if not exists landed.ticket (
    source text, source_key text, load_id text, file text, sheet text, row_no bigint,
    delivered_at timestamp, updated_at timestamp,
    ticket_id text, channel text, category text, grid_id text, grid_name text,
    site_key text, staff_id text, urgency text, severity text, summary text,
    caller_key text, reported_at timestamp, accepted_at timestamp, filed_at timestamp,
    dispatched_at timestamp, signed_at timestamp, first_contact_at timestamp,
    due_given_at timestamp, extended_due_at timestamp, disposed_at timestamp,
    called_back_at timestamp, closed_at timestamp, forced_closed_at timestamp,
    voided_at timestamp, appeal_filed_at timestamp, appeal_decided_at timestamp,
    reinspect_due_at timestamp, reinspected_at timestamp, outcome text,
    satisfaction text, is_contacted boolean, is_resolved boolean, rework_count bigint,
    is_postponed boolean, is_leader_assigned boolean, repeat_of text, state text,
    state_reason text, helping_lines text
);
create table if not exists landed.exclusion (
    source text, source_key text, load_id text, file text, sheet text, row_no bigint,
    delivered_at timestamp, updated_at timestamp,
    ticket_id text, ticket_source text, metric_set text, reason text, evidence text,
    decided_by text, decided_at timestamp, approved_by text
);
create table if not exists landed.repair (
    source text, source_key text, load_id text, file text, sheet text, row_no bigint,
    delivered_at timestamp, updated_at timestamp,
    repair_id text, grid_id text, grid_name text, home_key text, is_common boolean,
    part text, kind text, urgency text, reported_at timestamp, accepted_at timestamp,
    arrived_at timestamp, surveyed_at timestamp, approved_at timestamp,
    dispatched_at timestamp, started_at timestamp, due_given_at timestamp,
    finished_at timestamp, checked_at timestamp, settled_at timestamp,
    called_back_at timestamp, voided_at timestamp, state text, satisfaction text,
    warranty_until date, budget decimal(14, 2), approved_amount decimal(14, 2),
    settled_amount decimal(14, 2), paid_amount decimal(14, 2), project text
);
create table if not exists landed.fund_entry (
    source text, source_key text, load_id text, file text, sheet text, row_no bigint,
    delivered_at timestamp, updated_at timestamp,
    entry_id text, day date, kind text, amount decimal(14, 2), repair_id text,
    project text, note text
);
create table if not exists landed.plan (
    source text, source_key text, load_id text, file text, sheet text, row_no bigint,
    delivered_at timestamp, updated_at timestamp,
    month date, grid_id text, staff_id text, kind text, class text, required bigint
);
create table if not exists landed.activity (
    source text, source_key text, load_id text, file text, sheet text, row_no bigint,
    delivered_at timestamp, updated_at timestamp,
    activity_id text, kind text, class text, object_key text, done_at timestamp,
    staff_id text, grid_id text, is_valid boolean, checked bigint, found_right bigint
);
create table if not exists landed.return (
    source text, source_key text, load_id text, file text, sheet text, row_no bigint,
    delivered_at timestamp, updated_at timestamp,
    month date, grid_id text, line text, item text, numerator decimal(18, 2),
    denominator decimal(18, 2), value decimal(18, 4), note text
);
create table if not exists landed.event (
    source text, source_key text, load_id text, file text, sheet text, row_no bigint,
    delivered_at timestamp, updated_at timestamp,
    event_id text, day date, grid_id text, line text, indicator text, site text,
    count bigint, severity text, reason text, evidence text
);

create table if not exists core.load (
    load_id text primary key, source text, target text, file text, sha256 text,
    bytes bigint, delivered_at timestamp, month date, line text, rows_in bigint,
    rows_loaded bigint, rows_duplicate bigint, rows_quarantined bigint,
    earliest_month date, definition_hash text, rows_deleted bigint default 0,
    watermark text, fetch_kind text
);
-- A warehouse of an earlier version lacks them.
alter table core.load add column if not exists rows_deleted bigint default 0;
alter table core.load add column if not exists watermark text;
alter table core.load add column if not exists fetch_kind text;
create table if not exists core.quarantine (
    load_id text, source text, file text, sheet text, row_no bigint,
    column_name text, value text, reason text, detail text,
    state text default 'open', closed_at timestamp, closed_by text, note text
);
-- A warehouse of an earlier version lacks them.
alter table core.quarantine add column if not exists state text default 'open';
alter table core.quarantine add column if not exists closed_at timestamp;
alter table core.quarantine add column if not exists closed_by text;
alter table core.quarantine add column if not exists note text;
-- Columns by which a delivery differs from its definition: new or missing.
create table if not exists core.load_column (
    load_id text, kind text, column_name text
);
create table if not exists meta.built (month date, fingerprint text);
-- What the tables of the queries were made by.
create table if not exists meta.made (digest text);
