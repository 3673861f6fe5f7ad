-- grain: one row per month of the last twelve
-- rule: tickets reported, due and on time; rates in percent to one place
-- build: month
select
    $month as month,
    ticket.month as of_month,
    count(*) filter (ticket.is_reported) as reported,
    count(*) filter (ticket.is_due and not ticket.is_excluded) as due,
    count(*) filter (ticket.is_due and ticket.is_on_time and not ticket.is_excluded) as on_time,
    round(
        100.0 * count(*) filter (ticket.is_due and ticket.is_on_time and not ticket.is_excluded)
        / nullif(count(*) filter (ticket.is_due and not ticket.is_excluded), 0), 1
    )::decimal(5, 1) as on_time_rate
from core.month_ticket as ticket
where ticket.month > $month - interval 12 month
    and ticket.month <= $month
group by ticket.month
order by ticket.month
