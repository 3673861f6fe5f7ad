-- grain: one row per site with three or more tickets in the month
-- rule: repeated complaints, the most first; beside them the volume of last month
--   and of the same month last year. A sensitive category with under 3 tickets
--   at the site is not named
-- build: month
with ticket as (
    select
        ticket.month,
        ticket.site_key,
        category.name,
        category.is_sensitive,
        ticket.settled_at
    from core.month_ticket as ticket
    inner join seed.category as category
        on ticket.category = category.category
    where ticket.month in (
        $month, $month - interval 1 month, $month - interval 12 month
    )
        and ticket.is_reported
        and not ticket.is_excluded
        and ticket.site_key is not null
),

topic as (
    select
        ticket.site_key,
        string_agg(ticket.name, '、' order by ticket.name) as topics
    from (
        select
            ticket.site_key,
            ticket.name
        from ticket
        where ticket.month = $month
        group by ticket.site_key, ticket.name
        having count(*) >= 3
            or not bool_or(ticket.is_sensitive)
    ) as ticket
    group by ticket.site_key
),

site as (
    select
        ticket.site_key,
        count(*) filter (ticket.month = $month) as reported,
        count(*) filter (ticket.month = $month and ticket.settled_at is null) as unsettled,
        count(*) filter (ticket.month = $month - interval 1 month) as last_reported,
        count(*) filter (ticket.month = $month - interval 12 month) as year_reported
    from ticket
    group by ticket.site_key
    having count(*) filter (ticket.month = $month) >= 3
)

select
    $month as month,
    row_number() over (order by site.reported desc, site.site_key) as position,
    site.site_key as site,
    topic.topics,
    site.reported,
    site.unsettled,
    site.last_reported,
    site.year_reported
from site
left join topic
    on site.site_key = topic.site_key
order by position
limit 15
