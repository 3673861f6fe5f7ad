-- grain: one row per grid
-- rule: CG4 overdue and open at the month's end ÷ (due in the month + overdue brought in)
-- cohort: month-end
select
    ticket.grid_id,
    null::text as part,
    null::date as day,
    sum(case when ticket.is_overdue_open then 1 else 0 end)::bigint as numerator,
    sum(1)::bigint as denominator
from core.month_ticket as ticket
where ticket.month = $month
    and (ticket.is_due or ticket.is_brought_in)
    and ticket.line = 'city'
    and not ticket.is_excluded
    and not list_contains(ticket.excluded_for, 'cg4')
group by ticket.grid_id
order by ticket.grid_id
