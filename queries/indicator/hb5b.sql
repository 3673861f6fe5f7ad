-- grain: one row per grid
-- rule: HB5B environment complaints settled ÷ due in the month
-- cohort: due
select
    ticket.grid_id,
    null::text as part,
    null::date as day,
    sum(case when ticket.settled_at is not null then 1 else 0 end)::bigint as numerator,
    sum(1)::bigint as denominator
from core.month_ticket as ticket
where ticket.month = $month
    and ticket.is_due
    and ticket.kind = 'complaint'
    and ticket.line = 'environment'
    and not ticket.is_excluded
    and not list_contains(ticket.excluded_for, 'hb5b')
group by ticket.grid_id
order by ticket.grid_id
