-- grain: one row per grade
-- rule: how many building grids have it this month
-- build: month
select
    $month as month,
    row_number() over (order by grade.threshold desc) as position,
    grade.name as grade,
    count(ranking.grid_id) as units
from seed.grade as grade
left join ranking.building as ranking
    on grade.name = ranking.grade
    and ranking.month = $month
where grade.valid_from <= $month
    and (grade.valid_to is null or grade.valid_to >= $month)
group by grade.name, grade.threshold
order by position
