-- title: the records that a number opens to are not those that were counted
-- severity: warn
-- rule: every number opens to its records: a denominator to those that are in
--   it, work against a plan to what counts as done
with counted as (
    select
        points.grid_id,
        points.indicator,
        case rule.fact
            when 'activity' then points.own_numerator
            else points.own_denominator
        end as cases
    from score.points as points
    inner join score.rule as rule
        on points.indicator = rule.indicator
        and points.level = rule.level
        and points.month = rule.month
    where points.month = $month
        and points.level = 2
        and rule.fact in ('ticket', 'repair', 'activity')
        -- A density is divided by households.
        and rule.rule <> 'density'
),

listed as (
    select
        record.community_id as grid_id,
        lower(record.indicator) as indicator,
        sum(record.weight)::bigint as cases
    from bulletin.counted_record as record
    where record.month = $month
        and (record.is_base or record.kind = 'activity')
    group by record.community_id, lower(record.indicator)
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
