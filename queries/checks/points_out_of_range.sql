-- title: points of an indicator are below 0 or above full points
-- severity: error
-- rule: rubric: not below 0 and not above P
select
    points.level,
    points.grid_id,
    points.indicator,
    points.points,
    points.full_points
from score.points as points
where points.month = $month
    and (points.points < 0 or points.points > points.full_points)
order by points.level, points.grid_id, points.indicator
