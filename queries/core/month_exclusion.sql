-- grain: one row per ticket that was taken out of a count
-- rule: only what was approved counts; "all" takes the ticket out of every
--   count, an indicator out of that one
-- build: month
select
    $month as month,
    exclusion.ticket_source as source,
    exclusion.ticket_id,
    max(exclusion.reason) filter (exclusion.metric_set = 'all') as reason,
    list(distinct exclusion.metric_set order by exclusion.metric_set) as metric_sets
from core.exclusion as exclusion
where exclusion.approved_by is not null
group by exclusion.ticket_source, exclusion.ticket_id
order by exclusion.ticket_source, exclusion.ticket_id
