-- title: the records listed behind an indicator are not those that were counted
-- severity: warn
-- rule: design: every point lost opens to its records
with counted as (
    select
        points.grid_id,
        points.indicator,
        case
            when rule.rule in ('inverse', 'density') then points.own_numerator
            else points.own_denominator - points.own_numerator
        end as cases
    from score.points as points
    inner join score.rule as rule
        on points.indicator = rule.indicator
        and points.level = rule.level
        and points.month = rule.month
    where points.month = $month
        and points.level = 2
        and rule.fact in ('ticket', 'repair')
        and points.own_numerator is not null
),

listed as (
    select
        lost.community_id as grid_id,
        lower(lost.indicator) as indicator,
        sum(lost.weight)::bigint as cases
    from bulletin.lost_record as lost
    where lost.month = $month
        and lost.kind in ('ticket', 'repair')
    group by lost.community_id, lower(lost.indicator)
)

select
    counted.grid_id,
    counted.indicator,
    counted.cases as cases_counted,
    coalesce(listed.cases, 0) as cases_listed
from counted
left join listed
    on counted.grid_id = listed.grid_id
    and counted.indicator = listed.indicator
where counted.cases <> coalesce(listed.cases, 0)
order by counted.grid_id, counted.indicator
