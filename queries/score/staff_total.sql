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
),

covered as (
    select
        summed.*,
        (2 * summed.measured * 1000000 + summed.full_points)
        // (2 * summed.full_points) as coverage
    from summed
)

select
    $month as month,
    covered.staff_id,
    (
        ((2 * covered.points * 10000 + covered.measured) // nullif(2 * covered.measured, 0))::decimal(9, 0)
        * 0.01::decimal(3, 2)
    )::decimal(7, 2) as total,
    covered.coverage::bigint as coverage,
    case
        when covered.measured = 0 then 'no_data'
        when covered.coverage < info.min_coverage then 'low_coverage'
    end as reason
from covered
inner join core.month_info as info
    on info.month = $month
order by covered.staff_id
