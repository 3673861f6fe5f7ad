-- grain: one row per category, the ten most frequent
-- rule: volume, timeliness and satisfaction of the month's tickets; rates in
--   percent to one place; excluded tickets are in the volume only. Beside them
--   the volume of last month and of the same month last year, null where that
--   month was not computed. Sensitive categories with under 3 are left out
-- build: month
with ticket as (
    select ticket.*
    from core.month_ticket as ticket
    where ticket.month in (
        $month, $month - interval 1 month, $month - interval 12 month
    )
),

counted as (
    select
        category.name as name,
        category.is_sensitive,
        count(*) filter (ticket.month = $month and ticket.is_reported) as reported,
        count(*) filter (ticket.month = $month - interval 1 month and ticket.is_reported) as last_reported,
        count(*) filter (ticket.month = $month - interval 12 month and ticket.is_reported) as year_reported,
        count(*) filter (ticket.month = $month and ticket.is_due and not ticket.is_excluded) as due,
        count(*) filter (ticket.month = $month and ticket.is_due and ticket.is_on_time and not ticket.is_excluded) as on_time,
        count(*) filter (ticket.month = $month and ticket.is_overdue_open and not ticket.is_excluded) as overdue,
        count(*) filter (ticket.month = $month and ticket.is_closed and ticket.satisfaction = 'satisfied') as satisfied,
        count(*) filter (ticket.month = $month and ticket.is_closed and ticket.satisfaction is not null) as rated,
        count(*) filter (ticket.month = $month and ticket.is_closed and ticket.rework_count > 0) as reworked
    from ticket
    inner join seed.category as category
        on ticket.category = category.category
    group by category.name, category.is_sensitive
),

computed as (
    select
        count(*) filter (info.month = $month - interval 1 month) > 0 as has_last,
        count(*) filter (info.month = $month - interval 12 month) > 0 as has_year
    from core.month_info as info
)

select
    $month as month,
    row_number() over (order by counted.reported desc, counted.name) as position,
    counted.name,
    counted.reported,
    case when computed.has_last and not (counted.is_sensitive and counted.last_reported < 3)
        then counted.last_reported
    end as last_reported,
    case when computed.has_year and not (counted.is_sensitive and counted.year_reported < 3)
        then counted.year_reported
    end as year_reported,
    counted.due,
    counted.on_time,
    round(100.0 * counted.on_time / nullif(counted.due, 0), 1)::decimal(5, 1) as on_time_rate,
    counted.overdue,
    counted.satisfied,
    counted.rated,
    round(100.0 * counted.satisfied / nullif(counted.rated, 0), 1)::decimal(5, 1) as satisfied_rate,
    counted.reworked
from counted
cross join computed
where (counted.reported > 0 or counted.due > 0)
    and not (
        coalesce(counted.is_sensitive, false)
        and least(nullif(counted.reported, 0), nullif(counted.due, 0)) < 3
    )
order by position
limit 10
