-- grain: one row per grid
-- rule: CG2 handled on time ÷ due in the month
-- cohort: due
select
    ticket.grid_id,
    null::text as part,
    null::date as day,
    sum(case when ticket.is_on_time then 1 else 0 end)::bigint as numerator,
    sum(1)::bigint as denominator
from core.month_ticket as ticket
where ticket.month = $month
    and ticket.is_due
    and ticket.line = 'city'
    and not ticket.is_excluded
    and not list_contains(ticket.excluded_for, 'cg2')
group by ticket.grid_id
order by ticket.grid_id
