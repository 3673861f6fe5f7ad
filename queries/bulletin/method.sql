-- grain: one row per rubric row in force
-- rule: the clauses that the month was scored by
-- build: month
select
    $month as month,
    rubric.position,
    upper(rubric.indicator) as indicator,
    coalesce(name.name, '网格员') as line,
    rubric.name,
    (rubric.points * 0.000001)::decimal(7, 2) as points,
    rubric.rule,
    rubric.clause,
    rubric.cohort,
    concat_ws(
        '、',
        case when rubric.is_community then '社区' end,
        case when rubric.is_area then '片区' end,
        case when rubric.is_building then '楼栋' end,
        case when rubric.is_staff then '个人' end
    ) as levels,
    rubric.valid_from
from seed.rubric as rubric
left join seed.line as name
    on rubric.line = name.line
where rubric.valid_from <= $month
    and (rubric.valid_to is null or rubric.valid_to >= $month)
order by rubric.position
