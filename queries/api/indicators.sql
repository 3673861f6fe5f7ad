-- title: every figure of the month: own cases, the cases scored, points
select
    long.level,
    long.grid_id,
    long.name,
    long.line,
    long.indicator,
    long.indicator_name,
    long.own_numerator,
    long.own_denominator,
    long.numerator,
    long.denominator,
    long.n,
    long.points,
    long.full_points,
    long.state,
    long.events,
    long.taken,
    long.is_withheld
from bulletin.long as long
where long.month = $month
    and long.level <= 3
order by long.level, long.grid_id, long.line, long.indicator
