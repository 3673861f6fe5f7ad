-- grain: one row per grid member on duty at the month's end
-- rule: points of the measured dimensions on a base of 100, rounded half up to
--   two places; with less than two thirds of the points measured no place
-- build: month
with summed as (
    select
        points.staff_id,
        coalesce(sum(points.points), 0)::hugeint as points,
        coalesce(sum(points.full_points) filter (points.state = 'measured'), 0)::hugeint as measured,
        sum(points.full_points)::hugeint as full_points
    from score.staff_points as points
    where points.month = $month
    group by points.staff_id
)

select
    $month as month,
    summed.staff_id,
    (
        ((2 * summed.points * 10000 + summed.measured) // nullif(2 * summed.measured, 0))::decimal(9, 0)
        * 0.01::decimal(3, 2)
    )::decimal(7, 2) as total,
    (summed.measured * 1000000 // summed.full_points)::bigint as coverage,
    case
        when summed.measured = 0 then 'no_data'
        when summed.measured * 1000000 < info.min_coverage * summed.full_points
            then 'low_coverage'
    end as reason
from summed
inner join core.month_info as info
    on info.month = $month
