-- grain: one row per rubric row in force and level at which it exists
-- rule: every row names its levels; a line exists at a level if its rows there
--   carry at least half of the line's points
-- build: month
with rubric as (
    select rubric.*
    from seed.rubric as rubric
    where rubric.valid_from <= $month
        and (rubric.valid_to is null or rubric.valid_to >= $month)
        and rubric.line <> 'staff'
),

levelled as (
    select
        rubric.*,
        level.level
    from rubric
    cross join (values (2), (3), (4)) as level(level)
    where case level.level
        when 2 then rubric.is_community
        when 3 then rubric.is_area
        else rubric.is_building
    end
),

carried as (
    select
        levelled.line,
        levelled.level,
        2 * coalesce(sum(levelled.points), 0)
        >= (
            select coalesce(sum(whole.points), 0)
            from rubric as whole
            where whole.line = levelled.line
        ) as is_line
    from levelled
    group by levelled.line, levelled.level
)

select
    $month as month,
    levelled.indicator,
    levelled.line,
    levelled.level::integer as level,
    levelled.rule,
    levelled.points::bigint as points,
    levelled.target,
    levelled.k,
    levelled.cap,
    levelled.floor,
    levelled.per,
    levelled.min_cases,
    levelled.fact,
    levelled.veto_scope,
    levelled.veto_level,
    levelled.na,
    levelled.valid_from,
    carried.is_line
from levelled
inner join carried
    on levelled.line = carried.line
    and levelled.level = carried.level
order by levelled.indicator, levelled.level
