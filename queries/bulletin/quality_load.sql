-- grain: one row per source
-- rule: deliveries that came in the month and the one after; in = current +
--   superseded + quarantined
-- build: month
select
    $month as month,
    row_number() over (order by load.source) as position,
    load.source as name,
    count(*) as loads,
    max(load.delivered_at)::date as last_delivered,
    sum(load.rows_in)::bigint as rows_in,
    sum(load.rows_current)::bigint as rows_current,
    sum(load.rows_superseded)::bigint as rows_superseded,
    sum(load.rows_quarantined)::bigint as rows_quarantined
from core.month_load as load
where load.month = $month
group by load.source
order by position
