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

-- What a veto on the total took: its cap below the mean of the lines.
veto as (
    select
        total.level,
        total.grid_id,
        count.indicator,
        sum(
            case when total.month = $month then 1 else -1 end
            * least(total.cap - line.mean, 0)
        ) as amount
    from score.total as total
    inner join (
        select
            month,
            level,
            grid_id,
            sum(weight * (score * 1000000)::hugeint) // sum(weight) as mean
        from score.line
        where state = 'scored' and month in ($month, $month - interval 1 month)
        group by all
    ) as line using (month, level, grid_id)
    inner join (
        select
            month,
            level,
            grid_id,
            arg_min(indicator, (cap, indicator)) as indicator
        from score.count
        where rule = 'veto'
            and veto_scope = 'total'
            and cap is not null and month in ($month, $month - interval 1 month)
        group by all
    ) as count using (month, level, grid_id)
    where total.month in ($month, $month - interval 1 month)
        and total.cap is not null
    group by total.level, total.grid_id, count.indicator
),

part as (
    select level, grid_id, line, indicator, cause, amount::hugeint as amount
    from bulletin.move_part
    where month = $month
    union all
    select level, grid_id, '', indicator, 'events', amount
    from veto
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
    every.line,
    every.indicator,
    every.cause,
    (every.amount::decimal(18, 0) * 0.000001::decimal(7, 6))::decimal(12, 6) as amount,
    total.change as total_change,
    total.is_comparable
from every
inner join total using (level, grid_id)
where every.amount <> 0
order by every.level, every.grid_id, every.line, every.indicator, every.cause
