-- grain: one row per site with three or more tickets in the month
-- rule: repeated complaints, the most first
-- build: month
select
    $month as month,
    row_number() over (order by count(*) desc, ticket.site_key) as position,
    ticket.site_key as site,
    string_agg(distinct category.name, '、' order by category.name) as topics,
    count(*) as reported,
    count(*) filter (ticket.settled_at is null) as unsettled
from core.month_ticket as ticket
inner join seed.category as category
    on ticket.category = category.category
where ticket.month = $month
    and ticket.is_reported
    and not ticket.is_excluded
    and ticket.site_key is not null
group by ticket.site_key
having count(*) >= 3
order by position
limit 15
