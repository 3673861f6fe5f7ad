-- grain: one row per delivery that came in the month or the one after
-- rule: what became of its rows, as core stands, in whatever order deliveries
--   were taken in: current are those that core holds; quarantined are those
--   that wait or were dismissed; superseded is the rest: said again by the same
--   or another delivery, replaced by a later version, corrected by a fixed
--   file, or gone by a full set
-- build: month
with load as (
    select
        load.load_id,
        load.source,
        load.target,
        load.delivered_at,
        load.rows_in
    from core.load as load
    where load.delivered_at >= $month
        and load.delivered_at < $month + interval 2 month
        and coalesce(load.fetch_kind, '') <> 'replayed'
),

-- What etl put into quarantine stays listed there, with the act that closed it.
quarantine as (
    select
        quarantine.load_id,
        count(*) as rows_quarantined
    from core.quarantine as quarantine
    where quarantine.state in ('open', 'dismissed')
    group by quarantine.load_id
),

-- A replay is no delivery: its rows came with the one that it read again.
replay as (
    select distinct
        quarantine.closed_by as load_id,
        quarantine.load_id as delivery_id
    from core.quarantine as quarantine
    where quarantine.state = 'replayed'
),

fact as (
    select load_id, delivered_at from core.ticket
    union all
    select load_id, delivered_at from core.exclusion
    union all
    select load_id, delivered_at from core.repair
    union all
    select load_id, delivered_at from core.fund_entry
    union all
    select load_id, delivered_at from core.plan
    union all
    select load_id, delivered_at from core.activity
    union all
    select load_id, delivered_at from core."return"
    union all
    select load_id, delivered_at from core.event
),

-- All rows of a load have its moment, so the filter skips row groups.
held as (
    select
        coalesce(replay.delivery_id, fact.load_id) as load_id,
        count(*) as rows_current
    from fact
    left join replay
        on fact.load_id = replay.load_id
    where fact.delivered_at >= $month
        and fact.delivered_at < $month + interval 2 month
    group by coalesce(replay.delivery_id, fact.load_id)
)

-- Rows of no such load have to be seen: a check finds that they do not add up.
select
    $month as month,
    coalesce(load.load_id, held.load_id) as load_id,
    load.source,
    load.target,
    load.delivered_at,
    coalesce(load.rows_in, 0) as rows_in,
    coalesce(held.rows_current, 0) as rows_current,
    coalesce(load.rows_in, 0) - coalesce(held.rows_current, 0)
    - coalesce(quarantine.rows_quarantined, 0) as rows_superseded,
    coalesce(quarantine.rows_quarantined, 0) as rows_quarantined
from load
full join held
    on load.load_id = held.load_id
left join quarantine
    on load.load_id = quarantine.load_id
