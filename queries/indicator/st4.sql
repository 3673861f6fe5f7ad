-- grain: one row per person
-- rule: ST4 handled on time and not reworked ÷ due in the month; a ticket
--   without a person falls to the post held on the day
-- cohort: due
-- subject: staff
select
    ticket.staff_id,
    null::text as part,
    null::date as day,
    count(*) filter (
        ticket.is_on_time and coalesce(ticket.rework_count, 0) = 0
    )::bigint as numerator,
    count(*)::bigint as denominator
from core.month_ticket as ticket
where ticket.month = $month
    and ticket.is_due
    and ticket.staff_id is not null
    and not ticket.is_excluded
    and not list_contains(ticket.excluded_for, 'st4')
group by ticket.staff_id
order by ticket.staff_id
