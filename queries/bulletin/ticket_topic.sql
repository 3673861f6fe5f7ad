-- grain: one row per category, the ten most frequent
-- rule: volume, timeliness and satisfaction of the month's tickets; rates in
--   percent to one place; excluded tickets are in the volume only
-- build: month
with counted as (
    select
        category.name as name,
        0 as rank_key,
        count(*) filter (ticket.is_reported) as reported,
        count(*) filter (ticket.is_due and not ticket.is_excluded) as due,
        count(*) filter (ticket.is_due and ticket.is_on_time and not ticket.is_excluded) as on_time,
        count(*) filter (ticket.is_overdue_open and not ticket.is_excluded) as overdue,
        count(*) filter (ticket.is_closed and ticket.satisfaction = 'satisfied') as satisfied,
        count(*) filter (ticket.is_closed and ticket.satisfaction is not null) as rated,
        count(*) filter (ticket.is_closed and ticket.rework_count > 0) as reworked
    from core.month_ticket as ticket
    inner join seed.category as category
        on ticket.category = category.category
    where ticket.month = $month
    group by all
)

select
    $month as month,
    row_number() over (order by counted.rank_key, counted.reported desc, counted.name) as position,
    counted.name,
    counted.reported,
    counted.due,
    counted.on_time,
    round(100.0 * counted.on_time / nullif(counted.due, 0), 1)::decimal(5, 1) as on_time_rate,
    counted.overdue,
    counted.satisfied,
    counted.rated,
    round(100.0 * counted.satisfied / nullif(counted.rated, 0), 1)::decimal(5, 1) as satisfied_rate,
    counted.reworked
from counted
where counted.reported > 0 or counted.due > 0
order by position
limit 10
