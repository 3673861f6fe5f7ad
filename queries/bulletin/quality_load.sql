-- grain: one row per source
-- rule: deliveries that came in the month and the one after; in = loaded +
--   duplicates + quarantined
-- build: month
select
    $month as month,
    row_number() over (order by load.source) as position,
    load.source as name,
    count(*) as loads,
    max(load.delivered_at)::date as last_delivered,
    sum(load.rows_in)::bigint as rows_in,
    sum(load.rows_loaded)::bigint as rows_loaded,
    sum(load.rows_duplicate)::bigint as rows_duplicate,
    sum(load.rows_quarantined)::bigint as rows_quarantined
from core.load as load
where load.delivered_at >= $month
    and load.delivered_at < $month + interval 2 month
group by load.source
order by position
