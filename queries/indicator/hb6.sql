-- grain: one row per grid and day
-- rule: HB6 environment tickets handled on the day they were reported ÷
--   reported that day
-- cohort: reported
select
    ticket.grid_id,
    null::text as part,
    ticket.reported_at::date as day,
    count(*) filter (
        ticket.settled_at::date = ticket.reported_at::date
    )::bigint as numerator,
    count(*)::bigint as denominator
from core.month_ticket as ticket
where ticket.month = $month
    and ticket.is_reported
    and ticket.line = 'environment'
    and not ticket.is_excluded
    and not list_contains(ticket.excluded_for, 'hb6')
group by ticket.grid_id, ticket.reported_at::date
order by ticket.grid_id, ticket.reported_at::date
