-- title: 本月各社区失分最多的三项指标
-- title-hant: 本月各社區失分最多的三項指標
-- title-en: The three indicators that cost each community most this month
with ranked as (
    select
        points.name,
        points.line,
        points.indicator,
        points.indicator_name,
        points.points,
        points.full_points,
        points.lost,
        row_number() over (
            partition by points.name order by points.lost desc, points.indicator
        ) as turn
    from bulletin.line_points as points
    where points.month = $month
        and points.lost > 0
)

select name, turn, line, indicator, indicator_name, points, full_points, lost
from ranked
where turn <= 3
order by name, turn
