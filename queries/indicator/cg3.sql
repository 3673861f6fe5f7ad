-- grain: one row per grid
-- rule: CG3 reworked ÷ closed in the month
-- cohort: closed
select
    ticket.grid_id,
    null::text as part,
    null::date as day,
    sum(case when ticket.rework_count > 0 then 1 else 0 end)::bigint as numerator,
    sum(1)::bigint as denominator
from core.month_ticket as ticket
where ticket.month = $month
    and ticket.is_closed
    and ticket.line = 'city'
    and not ticket.is_excluded
    and not list_contains(ticket.excluded_for, 'cg3')
group by ticket.grid_id
order by ticket.grid_id
