-- grain: one row per level and peer group
-- rule: a month compares with the one before only if clauses (and what the
--   rubric says for all of them, like its rounding), weights and the set of
--   units are the same; otherwise 不可比, with the reason
-- build: month
with this_unit as (
    select
        unit.level,
        unit.peer_group,
        string_agg(unit.grid_id, ' ' order by unit.grid_id) as units
    from core.month_unit as unit
    where unit.month = $month
        and unit.level between 2 and 4
    group by unit.level, unit.peer_group
),

last_unit as (
    select
        unit.level,
        unit.peer_group,
        string_agg(unit.grid_id, ' ' order by unit.grid_id) as units
    from core.month_unit as unit
    where unit.month = $month - interval 1 month
        and unit.level between 2 and 4
    group by unit.level, unit.peer_group
),

turned as (
    select
        (
            select count(*)
            from seed.rubric as rubric
            where rubric.line <> 'staff'
                and (
                    rubric.valid_from = $month
                    or rubric.valid_to = $month - interval 1 day
                )
        )
        + (
            select count(*)
            from seed.rubric_version as version
            inner join seed.rubric_version as earlier
                on earlier.valid_to = version.valid_from - interval 1 day
            where version.valid_from = $month
                and (
                    version.rounding, version.min_cases, version.pool_cases,
                    version.min_coverage, version.repair_satisfaction
                ) is distinct from (
                    earlier.rounding, earlier.min_cases, earlier.pool_cases,
                    earlier.min_coverage, earlier.repair_satisfaction
                )
        ) as clauses,
        (
            select count(*)
            from seed.line_weight as weight
            where weight.valid_from = $month
                or weight.valid_to = $month - interval 1 day
        ) as weights
)

select
    $month as month,
    this_unit.level,
    this_unit.peer_group,
    case
        when last_unit.units is null then 'first_month'
        when turned.clauses > 0 then 'clauses_changed'
        when turned.weights > 0 then 'weights_changed'
        when this_unit.units <> last_unit.units then 'units_changed'
    end as reason
from this_unit
cross join turned
left join last_unit
    on this_unit.level = last_unit.level
    and this_unit.peer_group = last_unit.peer_group
order by this_unit.level, this_unit.peer_group
