-- grain: one row per grid
-- rule: WG9 leak requests of the month on a home and part that were finished
--   within the 12 months before ÷ leak repairs finished in the 12 months up to
--   the month's end
-- cohort: month-end
with finished as (
    select
        map.unit_id as grid_id,
        repair.home_key,
        repair.part,
        repair.finished_at
    from core.repair as repair
    inner join core.month_map as map
        on repair.grid_id = map.grid_id
        and map.month = $month
    where repair.kind = '渗漏'
        and repair.state <> 'void'
        and repair.finished_at >= $month - interval 12 month
        and repair.finished_at < $month + interval 1 month
),

again as (
    select
        repair.grid_id,
        count(*) as requests
    from core.month_repair as repair
    where repair.month = $month
        and repair.is_reported
        and repair.kind = '渗漏'
        and not repair.is_excluded
        and exists (
            select 1
            from finished
            where finished.home_key = repair.home_key
                and finished.part = repair.part
                and finished.finished_at < repair.reported_at
                and finished.finished_at
                >= repair.reported_at - interval 12 month
        )
    group by repair.grid_id
),

base as (
    select
        finished.grid_id,
        count(*) as repairs
    from finished
    where finished.finished_at >= $month - interval 11 month
    group by finished.grid_id
)

select
    coalesce(base.grid_id, again.grid_id) as grid_id,
    null::text as part,
    null::date as day,
    coalesce(again.requests, 0)::bigint as numerator,
    coalesce(base.repairs, 0)::bigint as denominator
from base
full join again
    on base.grid_id = again.grid_id
order by 1
