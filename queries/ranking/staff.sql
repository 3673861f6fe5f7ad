-- grain: one row per grid member on duty at the month's end
-- rule: competition places on the published total of four dimensions; a change
--   only while the clauses of the dimensions stay the same
-- build: month
-- columns: month date, staff_id text, grid_id text, total decimal(7, 2),
--   place bigint, is_tied boolean, units bigint, last_place bigint,
--   place_change bigint, reason text
with post as (
    select
        assignment.staff_id,
        min(map.unit_id) as grid_id
    from seed.assignment as assignment
    inner join core.month_map as map
        on assignment.grid_id = map.grid_id
        and map.month = $month
    where assignment.role = '网格员'
        and assignment.valid_from < $month + interval 1 month
        and (
            assignment.valid_to is null
            or assignment.valid_to >= $month + interval 1 month - interval 1 day
        )
    group by assignment.staff_id
),

placed as (
    select
        total.staff_id,
        rank() over (order by total.total desc) as place,
        count(*) over (partition by total.total) as ties,
        count(*) over () as units
    from score.staff_total as total
    where total.month = $month
        and total.reason is null
),

before as (
    select
        ranking.staff_id,
        ranking.place
    from ranking.staff as ranking
    where ranking.month < $month
        and ranking.month >= $month - interval 1 month
        and not exists (
            select 1
            from seed.rubric as rubric
            where rubric.is_staff
                and (
                    rubric.valid_from = $month
                    or rubric.valid_to = $month - interval 1 day
                )
        )
)

select
    $month as month,
    total.staff_id,
    post.grid_id,
    total.total,
    placed.place,
    coalesce(placed.ties > 1, false) as is_tied,
    coalesce(placed.units, 0) as units,
    before.place as last_place,
    before.place - placed.place as place_change,
    total.reason
from score.staff_total as total
left join post
    on total.staff_id = post.staff_id
left join placed
    on total.staff_id = placed.staff_id
left join before
    on total.staff_id = before.staff_id
where total.month = $month
order by placed.place nulls last, total.staff_id
