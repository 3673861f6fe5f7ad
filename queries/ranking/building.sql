-- grain: one row per building grid
-- rule: the month gives a grade only; the place is on the rolling total, the
--   mean of the published totals of the last three months that have one,
--   rounded half up to two places
-- build: month
with unit as (
    select
        unit.grid_id,
        unit.peer_group,
        total.total,
        total.reason
    from core.month_unit as unit
    inner join score.total as total
        on unit.grid_id = total.grid_id
        and total.level = 4
        and total.month = $month
    where unit.month = $month
        and unit.level = 4
),

summed as (
    select
        total.grid_id,
        sum((total.total * 100)::hugeint) as cents,
        count(*) as months
    from score.total as total
    where total.level = 4
        and total.reason is null
        and total.month > $month - interval 3 month
        and total.month <= $month
    group by total.grid_id
),

rolled as (
    select
        unit.*,
        summed.months,
        case
            when unit.reason is null
                then (
                    ((2 * summed.cents + summed.months) // (2 * summed.months))::decimal(9, 0)
                    * 0.01::decimal(3, 2)
                )::decimal(7, 2)
        end as rolling_total
    from unit
    left join summed
        on unit.grid_id = summed.grid_id
),

graded as (
    select
        rolled.grid_id,
        arg_max(grade.name, grade.threshold) as grade
    from rolled
    inner join seed.grade as grade
        on rolled.total * 1000000 >= grade.threshold
        and grade.valid_from <= $month
        and (grade.valid_to is null or grade.valid_to >= $month)
    where rolled.reason is null
    group by rolled.grid_id
)

select
    $month as month,
    rolled.peer_group,
    rolled.grid_id,
    rolled.total,
    graded.grade,
    rolled.rolling_total,
    rolled.months as rolling_months,
    case
        when rolled.rolling_total is not null
            then rank() over (
                partition by rolled.peer_group
                order by rolled.rolling_total desc nulls last
            )
    end as place,
    count(rolled.rolling_total) over (
        partition by rolled.peer_group, rolled.rolling_total
    ) > 1 as is_tied,
    count(rolled.rolling_total) over (partition by rolled.peer_group) as units,
    rolled.reason
from rolled
left join graded
    on rolled.grid_id = graded.grid_id
order by rolled.peer_group, place nulls last, rolled.grid_id
