-- grain: one row per grid
-- rule: AJ3 safety hazards re-inspected by their date ÷ re-inspections due in
--   the month
-- cohort: due
select
    ticket.grid_id,
    null::text as part,
    null::date as day,
    count(*) filter (
        ticket.reinspected_at <= ticket.reinspect_due_at
    )::bigint as numerator,
    count(*)::bigint as denominator
from core.month_ticket as ticket
where ticket.month = $month
    and ticket.kind = 'hazard'
    and ticket.line = 'safety'
    and ticket.reinspect_due_at >= $month
    and ticket.reinspect_due_at < $month + interval 1 month
    and not ticket.is_excluded
    and not list_contains(ticket.excluded_for, 'aj3')
group by ticket.grid_id
order by ticket.grid_id
