-- grain: one row per grid
-- rule: ZF8 security hazards fixed ÷ due in the month; serious ones weigh 2
-- cohort: due
select
    ticket.grid_id,
    null::text as part,
    null::date as day,
    sum(case when ticket.settled_at is not null then ticket.weight else 0 end)::bigint as numerator,
    sum(ticket.weight)::bigint as denominator
from core.month_ticket as ticket
where ticket.month = $month
    and ticket.is_due
    and ticket.kind = 'hazard'
    and ticket.line = 'law'
    and not ticket.is_excluded
    and not list_contains(ticket.excluded_for, 'zf8')
group by ticket.grid_id
order by ticket.grid_id
