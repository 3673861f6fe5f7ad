-- grain: one row per unit and line with rows at its level
-- rule: the points of the measured rows on a base of 100 (10⁻⁶ points), null if
--   no row applies; the shares (10⁻⁶) of the full points that the unit's own
--   cases and that pooled or borrowed ones decide; rows that are not reported
-- build: month
with summed as (
    select
        points.level,
        points.grid_id,
        points.line,
        coalesce(sum(points.points), 0)::hugeint as points,
        sum(points.full_points) filter (points.points is not null)::hugeint as measured,
        sum(points.full_points)::hugeint as full_points,
        coalesce(sum(points.full_points) filter (points.state = 'measured'), 0)::hugeint as own,
        coalesce(sum(points.full_points) filter (points.state in ('pooled', 'no_sample')), 0)::hugeint as pooled,
        count(*) filter (points.state = 'not_reported') as missing
    from score.points as points
    where points.month = $month
    group by points.level, points.grid_id, points.line
)

select
    $month as month,
    summed.level,
    summed.grid_id,
    summed.line,
    summed.points::bigint as row_points,
    summed.full_points::bigint as full_points,
    (
        (2 * summed.points * 100000000 + summed.measured)
        // nullif(2 * summed.measured, 0)
    )::bigint as base,
    (
        (2 * summed.own * 1000000 + summed.full_points)
        // (2 * summed.full_points)
    )::bigint as measured_share,
    (
        (2 * summed.pooled * 1000000 + summed.full_points)
        // (2 * summed.full_points)
    )::bigint as pooled_share,
    summed.missing
from summed
order by summed.level, summed.grid_id, summed.line
