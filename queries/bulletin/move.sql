-- grain: one row per unit, line, indicator and cause that moved its total
-- rule: why the published total changed since last month, in points of it. The
--   amounts of a unit add up to total_change to the last digit, those of a line
--   to weight × change of its published score. Causes: rate, volume, events,
--   missing, rubric, rounding (ARCHITECTURE.md, Numbers). line '' is the total
--   itself: a veto on it, and its own rounding. Where is_comparable is false
--   the bulletin shows 不可比, and the rows are for the taskforce
-- build: month
with total as (
    select
        ranking.level,
        ranking.grid_id,
        ranking.is_comparable,
        max(total.total) filter (total.month = $month)
        - max(total.total) filter (total.month < $month) as change
    from ranking.total as ranking
    inner join score.total as total
        on ranking.level = total.level
        and ranking.grid_id = total.grid_id
        and total.month in ($month, $month - interval 1 month)
        and total.total is not null
    where ranking.month = $month
    group by ranking.level, ranking.grid_id, ranking.is_comparable
    having count(*) = 2
),

part as (
    select level, grid_id, line, indicator, cause, amount::hugeint as amount
    from bulletin.move_part
    where month = $month
    union all
    select level, grid_id, '', indicator, 'events', amount
    from bulletin.move_veto
    where month = $month
),

every as (
    select level, grid_id, line, indicator, cause, amount
    from part
    union all
    select
        total.level, total.grid_id, '', '', 'rounding',
        (total.change * 1000000)::hugeint - coalesce(sum(part.amount), 0)
    from total
    left join part using (level, grid_id)
    group by total.level, total.grid_id, total.change
)

select
    $month as month,
    every.level,
    every.grid_id,
    community.name as community,
    every.line,
    every.indicator,
    every.cause,
    (every.amount::decimal(18, 0) * 0.000001::decimal(7, 6))::decimal(12, 6) as amount,
    total.change as total_change,
    total.is_comparable
from every
inner join total using (level, grid_id)
inner join core.month_unit as unit
    on every.grid_id = unit.grid_id
    and unit.month = $month
left join core.month_unit as community
    on unit.community_id = community.grid_id
    and community.month = $month
where every.amount <> 0
order by every.level, every.grid_id, every.line, every.indicator, every.cause
