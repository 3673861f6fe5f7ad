-- grain: one row per unit and rubric row with points in this or last month
-- rule: the row's figures of both months side by side, with what its line's
--   rows are worth together: all of the month, and those that have points in
--   both months
-- build: month
with pair as (
    select
        points.level,
        points.grid_id,
        points.line,
        points.indicator,
        max(points.numerator) filter (points.month = $month) as numerator,
        max(points.denominator) filter (points.month = $month) as denominator,
        max(points.points) filter (points.month = $month) as points,
        max(points.full_points) filter (points.month = $month) as worth,
        max(points.state) filter (points.month = $month) as state,
        max(points.numerator) filter (points.month < $month) as last_numerator,
        max(points.denominator) filter (points.month < $month) as last_denominator,
        max(points.points) filter (points.month < $month) as last_points,
        max(points.full_points) filter (points.month < $month) as last_worth,
        max(points.state) filter (points.month < $month) as last_state
    from score.points as points
    where points.month in ($month, $month - interval 1 month)
    group by points.level, points.grid_id, points.line, points.indicator
),

clause as (
    select
        rule.level,
        rule.indicator,
        max(rule.rule) filter (rule.month = $month) as rule,
        count(distinct rule.valid_from) = 1 and count(*) = 2 as is_same_clause
    from score.rule as rule
    where rule.month in ($month, $month - interval 1 month)
    group by rule.level, rule.indicator
)

select
    $month as month,
    pair.*,
    clause.rule,
    clause.is_same_clause,
    pair.points is not null and pair.last_points is not null as is_scored_twice,
    coalesce(sum(pair.worth) filter (pair.points is not null) over line, 0)::bigint as line_worth,
    coalesce(sum(pair.last_worth) filter (pair.last_points is not null) over line, 0)::bigint as last_line_worth,
    coalesce(sum(pair.worth) filter (pair.points + pair.last_points is not null) over line, 0)::bigint as shared_worth,
    coalesce(sum(pair.last_worth) filter (pair.points + pair.last_points is not null) over line, 0)::bigint as last_shared_worth,
    coalesce(sum(pair.points) filter (pair.last_points is not null) over line, 0)::bigint as shared_points,
    coalesce(sum(pair.last_points) filter (pair.points is not null) over line, 0)::bigint as last_shared_points
from pair
inner join clause
    on pair.level = clause.level
    and pair.indicator = clause.indicator
window line as (partition by pair.level, pair.grid_id, pair.line)
order by pair.level, pair.grid_id, pair.line, pair.indicator
