-- grain: one row per rubric row with points and community
-- rule: every point of a line with its cases
-- build: month
select
    $month as month,
    name.position as line_position,
    points.line,
    rubric.position as row_position,
    upper(points.indicator) as indicator,
    rubric.name as indicator_name,
    unit.name,
    points.numerator,
    points.denominator,
    points.n,
    ((points.points + 5000) // 10000 * 0.01)::decimal(7, 2) as points,
    ((points.full_points + 5000) // 10000 * 0.01)::decimal(7, 2) as full_points,
    ((points.full_points - points.points + 5000) // 10000 * 0.01)::decimal(7, 2) as lost,
    points.state
from score.points as points
inner join seed.line as name
    on points.line = name.line
inner join seed.rubric as rubric
    on points.indicator = rubric.indicator
    and rubric.valid_from <= $month
    and (rubric.valid_to is null or rubric.valid_to >= $month)
inner join core.month_unit as unit
    on points.grid_id = unit.grid_id
    and unit.month = $month
where points.month = $month
    and points.level = 2
order by line_position, row_position, unit.grid_id
