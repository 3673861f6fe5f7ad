-- grain: one row per grid member on duty
-- rule: four dimensions of 25 points with their cases; codes, no names
-- build: month
with dimension as (
    select
        points.staff_id,
        max(((points.points + 5000) // 10000 * 0.01)::decimal(7, 2)) filter (points.indicator = 'st1') as st1,
        max(coalesce(points.numerator, 0)::text || '/' || coalesce(points.denominator, 0)::text) filter (points.indicator = 'st1') as st1_n,
        max(((points.points + 5000) // 10000 * 0.01)::decimal(7, 2)) filter (points.indicator = 'st2') as st2,
        max(coalesce(points.numerator, 0)::text || '/' || coalesce(points.denominator, 0)::text) filter (points.indicator = 'st2') as st2_n,
        max(((points.points + 5000) // 10000 * 0.01)::decimal(7, 2)) filter (points.indicator = 'st3') as st3,
        max(coalesce(points.numerator, 0)::text || '/' || coalesce(points.denominator, 0)::text) filter (points.indicator = 'st3') as st3_n,
        max(((points.points + 5000) // 10000 * 0.01)::decimal(7, 2)) filter (points.indicator = 'st4') as st4,
        max(coalesce(points.numerator, 0)::text || '/' || coalesce(points.denominator, 0)::text) filter (points.indicator = 'st4') as st4_n
    from score.staff_points as points
    where points.month = $month
    group by points.staff_id
)

select
    $month as month,
    row_number() over (order by ranking.place nulls last, ranking.staff_id) as position,
    ranking.staff_id as code,
    community.name as community,
    ranking.place,
    ranking.is_tied,
    ranking.total,
    dimension.* exclude (staff_id),
    ranking.last_place,
    ranking.place_change,
    ranking.reason as unranked
from ranking.staff as ranking
left join dimension
    on ranking.staff_id = dimension.staff_id
left join core.month_unit as unit
    on ranking.grid_id = unit.grid_id
    and unit.month = $month
left join core.month_unit as community
    on unit.community_id = community.grid_id
    and community.month = $month
where ranking.month = $month
order by position
